import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { isRunning, startTimeOf } from "./processes.ts";

vi.mock("node:fs", { spy: true });

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

it("sees a process that it may not signal, and none that has ended", async () => {
  const refused = (code: string) => () => {
    throw Object.assign(new Error(code), { code });
  };
  const kill = vi.spyOn(process, "kill").mockImplementation(refused("EPERM"));
  onTestFinished(() => kill.mockRestore());
  expect(isRunning(1)).toBe(true);
  kill.mockImplementation(refused("ESRCH"));
  expect(isRunning(1)).toBe(false);
});

it.each(["Z", "X"])("takes a process in the state %s for ended", (state) => {
  vi.mocked(readFileSync).mockReturnValueOnce(`7 (a) b\n) ${state} 1${" 2".repeat(17)} 99 3`);
  expect(startTimeOf(7)).toBeUndefined();
  vi.mocked(readFileSync).mockReturnValueOnce(`7 (a) b\n) S 1${" 2".repeat(17)} 99 3`);
  expect(startTimeOf(7)).toBe("99");
});

it("sees the processes of other users", () => {
  expect(isRunning(1)).toBe(true);
});
