import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ProcessWorkers } from "./process-workers.ts";

const spec = { name: "f", programArguments: [], env: {}, network: "none", resources: {} } as const;

it("reads what a worker sent before its end, though it takes nothing more", async () => {
  const folder = mkdtempSync(join(tmpdir(), "worker-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const pid = join(folder, "pid");
  const command = ["/bin/sh", "-c", `echo $$ > ${pid}; printf 'the last reply' >&4`] as const;
  const program = { command, directory: "/", env: {}, path: "", arguments: 0, process: process.pid };
  const group = await new ProcessWorkers(program as never, undefined).open(spec);
  let data = "";
  await new Promise<void>((resolve) => {
    const worker = group.start({
      onStart: () => {},
      onConnect: () => {
        // Meanwhile, nothing is read.
        while (!hasEnded(pid));
        worker.write(Buffer.from("another call"));
      },
      onData: (chunk) => {
        data += chunk;
      },
      onOutput: () => {},
      onEnd: () => resolve(),
    });
  });
  expect(data).toBe("the last reply");
});

function hasEnded(pidFile: string): boolean {
  try {
    return / \(sh\) Z /.test(readFileSync(`/proc/${readFileSync(pidFile, "utf8").trim()}/stat`, "utf8"));
  } catch {
    return false;
  }
}
