import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { startTimeOf } from "../core/processes.ts";

it("ends with what the program started, which may hold its output", async () => {
  const program = join(import.meta.dirname, "./testdata/leaves-behind.ts");
  const ended = spawnSync(process.execPath, [program], { encoding: "utf8", timeout: 20_000 });
  const { status, pid } = JSON.parse(ended.stdout) as { status: number; pid: string };
  expect(status).toBe(3);
  // A process that was killed is there until its parent, or the system, takes note.
  await vi.waitUntil(() => startTimeOf(Number(pid)) === undefined, { timeout: 20_000 });
});
