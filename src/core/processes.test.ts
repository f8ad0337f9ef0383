import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { isRunning, startTimeOf } from "./processes.ts";

it("tells a process that runs, whatever its name, from one that has ended", async () => {
  const program = join(mkdtempSync(join(tmpdir(), "processes-")), "a b) 1 (c");
  copyFileSync("/bin/sleep", program);
  const child = spawn(program, ["100"]);
  onTestFinished(() => void child.kill());
  await once(child, "spawn");
  const pid = child.pid as number;
  const startTime = startTimeOf(pid);
  expect(startTime).toMatch(/^\d+$/);
  expect(isRunning(pid)).toBe(true);
  expect(isRunning(pid, startTime)).toBe(true);
  expect(isRunning(pid, "")).toBe(true);
  const ended = once(child, "exit");
  child.kill();
  await ended;
  expect(startTimeOf(pid)).toBeUndefined();
  expect(isRunning(pid)).toBe(false);
  expect(isRunning(pid, startTime)).toBe(false);
});

it("is not confused by another process of the same id", () => {
  expect(isRunning(process.pid, "1")).toBe(false);
});

it("sees the processes of other users", () => {
  expect(isRunning(1)).toBe(true);
});
