import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { expect, it, onTestFinished } from "vitest";
import { killGroup, signalGroup, signalProcess } from "./process-group.ts";
import { startTimeOf } from "./processes.ts";

/** A shell in a group of its own, with a child. */
async function group(): Promise<{ readonly shell: ChildProcess; readonly pid: number; readonly child: number }> {
  const shell = spawn("/bin/sh", ["-c", "sleep 100 & echo $!; wait"], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const pid = shell.pid as number;
  onTestFinished(() => void signalGroup(pid, "SIGKILL"));
  const [text] = (await once(shell.stdout as Readable, "data")) as [Buffer];
  return { shell, pid, child: Number(text) };
}

it("a signal reaches all of a group, until it has ended", async () => {
  const { shell, pid, child } = await group();
  const closed = once(shell, "close");
  expect([signalGroup(pid, 0), startTimeOf(child) !== undefined]).toEqual([true, true]);
  expect(signalGroup(pid, "SIGTERM")).toBe(true);
  expect(await closed).toEqual([null, "SIGTERM"]);
  await expect.poll(() => startTimeOf(child)).toBeUndefined();
  const alone = spawn("sleep", ["100"], { detached: true });
  const ended = once(alone, "exit");
  expect(signalGroup(alone.pid as number, "SIGTERM")).toBe(true);
  await ended;
  expect(signalGroup(alone.pid as number, 0)).toBe(false);
});

it("a group is killed, and then gone", async () => {
  const { shell, pid, child } = await group();
  const exited = once(shell, "exit");
  await killGroup(pid);
  expect(startTimeOf(child)).toBeUndefined();
  expect(await exited).toEqual([null, "SIGKILL"]);
  await killGroup(pid);
});

it("a signal reaches a process, and none that has its id by chance", async () => {
  const { shell, pid } = await group();
  const started = startTimeOf(pid);
  expect([undefined, `${started}0`].map((time) => signalProcess(pid, time, "SIGKILL"))).toEqual([false, false]);
  const exited = once(shell, "exit");
  expect(signalProcess(pid, started, "SIGINT")).toBe(true);
  expect(await exited).toEqual([null, "SIGINT"]);
  expect(signalProcess(pid, started, "SIGINT")).toBe(false);
});
