import { join } from "node:path";
import process from "node:process";
import { check } from "../../../src/cli/commands/image-check.ts";
import { inspect } from "../../../src/cli/commands/image-inspect.ts";
import { tree } from "../../../src/cli/commands/image-tree.ts";
import { ls } from "../../../src/cli/commands/registry-store.ts";
import { registryPaths } from "../../../src/registry-server/paths.ts";
import { startServer } from "../../../src/registry-server/server.ts";
import { tags } from "./malformed-store.ts";
import { oneOf, randomFrom } from "./seeds.ts";
import { operation, serveTasks } from "./victim-side.ts";

/** A state folder with a store. */
export interface MalformedTask {
  readonly seed: number;
  readonly folder: string;
}

serveTasks(async ({ seed, folder }: MalformedTask) => {
  process.env["XDG_STATE_HOME"] = folder;
  const paths = registryPaths();
  const random = randomFrom(seed);
  await operation("registry ls", () => ls.run({ json: false }));
  let server: Awaited<ReturnType<typeof startServer>> | undefined;
  await operation("registry serve", async () => {
    server = await startServer(paths);
  });
  if (!server) return;
  await operation("registry ls of a server", () => ls.run({ json: true }));
  const image = `${server.host}/team/app:${oneOf(random, tags)}`;
  const common = { image, json: false, platform: undefined };
  await operation("image inspect", () => inspect.run(common));
  await operation("image inspect --json", () => inspect.run({ ...common, json: true, platform: "linux/amd64" }));
  const html = random() < 0.5 ? join(folder, "page.html") : undefined;
  await operation("image tree", () => tree.run({ ...common, html, depth: 4 }));
  const kind = oneOf(random, ["slipway", "sematic"] as const);
  await operation("image check", () => check.run({ ...common, for: kind, module: [] }));
  await server.stop();
});
