import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startTimeOf } from "../job/process-group.ts";

it("ends with what the program started, which may hold its output", () => {
  const program = join(import.meta.dirname, "../testdata/leaves-behind.ts");
  const ended = spawnSync(process.execPath, [program], { encoding: "utf8", timeout: 20_000 });
  const { status, pid } = JSON.parse(ended.stdout) as { status: number; pid: string };
  expect(status).toBe(3);
  expect(startTimeOf(Number(pid))).toBeUndefined();
});
