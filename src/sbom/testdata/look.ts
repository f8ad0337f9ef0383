import { workerData } from "node:worker_threads";
import { viewOf } from "../../layer/file-view.ts";
import { PackageFinder } from "../layer-packages.ts";

// Looks at 4 MiB of a file, in a worker whose memory is limited.
const { path, start, text } = workerData as { path: string; start: string; text: string };
const bytes = Buffer.alloc(4 * 1024 * 1024, "\n");
let at = bytes.write(start);
for (let number = 0; at < bytes.length - 2 * text.length; number++)
  at += bytes.write(text.replace("#", number.toString(36).padStart(5, "a")), at);
new PackageFinder().look(viewOf(path, bytes.length, (target, from) => bytes.copy(target, 0, from)));
