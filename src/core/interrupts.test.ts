import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { interruptible, removedAtEnd, stopAll } from "./interrupts.ts";
import { endedByInterrupt, untilInterrupted } from "./until-interrupted.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const listeners = () => [...signals, "exit"].map((event) => process.listenerCount(event));
const before = listeners();
const more = before.map((count) => count + 1);
const kill = vi.spyOn(process, "kill");
const exit = vi.spyOn(process, "exit");
const stderr = vi.spyOn(process.stderr, "write");

beforeEach(() => {
  kill.mockReset().mockReturnValue(true);
  exit.mockReset().mockImplementation((() => undefined) as never);
  stderr.mockReset().mockReturnValue(true);
});
afterEach(() => {
  expect(listeners()).toEqual(before);
  process.exitCode = undefined;
});

/** Work that its `stop` ends. */
function stoppable(abortion?: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<string>();
  const stopped: string[] = [];
  const stop = async (signal: NodeJS.Signals) => {
    stopped.push(signal);
    resolve("stopped");
  };
  return { done: interruptible(promise, stop, abortion), resolve, stopped };
}

it.each(signals)("%s stops all work, removes files, then kills this process", async (signal) => {
  const forget = removedAtEnd(() => kill(0, 0));
  const work = [stoppable(), stoppable()];
  expect(listeners()).toEqual(more);
  process.emit(signal, signal);
  process.emit(signal, signal);
  expect(await Promise.all(work.map(({ done }) => done))).toEqual(["stopped", "stopped"]);
  expect(work.map(({ stopped }) => stopped)).toEqual([[signal], [signal]]);
  expect(kill.mock.calls).toEqual([
    [0, 0],
    [process.pid, signal],
  ]);
  expect(listeners()).toEqual(more);
  forget();
});

it("lets a program that handles the signal live, and hears the next one", async () => {
  const own = vi.fn();
  process.on("SIGTERM", own);
  const forget = removedAtEnd(() => {});
  for (const time of [1, 2]) {
    const { done, stopped } = stoppable();
    process.emit("SIGTERM", "SIGTERM");
    await done;
    expect([own.mock.calls.length, stopped]).toEqual([time, ["SIGTERM"]]);
  }
  expect(kill).not.toHaveBeenCalled();
  forget();
  process.off("SIGTERM", own);
});

it("ends with the result of its work, and hears nothing then", async () => {
  const { done, resolve, stopped } = stoppable();
  resolve("done");
  expect(await done).toBe("done");
  await stopAll("SIGTERM");
  expect(stopped).toEqual([]);
  await expect(interruptible(Promise.reject(new Error("broken")), async () => {})).rejects.toThrow("broken");
});

it("stops all work though one cannot be stopped", async () => {
  const failing = Promise.withResolvers<void>();
  const done = interruptible(failing.promise, () => Promise.reject(new Error("no")));
  const other = stoppable();
  await stopAll("SIGHUP");
  expect(other.stopped).toEqual(["SIGHUP"]);
  failing.resolve();
  await Promise.all([done, other.done]);
});

it("an abort does what SIGTERM does, before the work and while it runs", async () => {
  const abortion = new AbortController();
  const work = stoppable(abortion.signal);
  abortion.abort();
  expect([await work.done, work.stopped]).toEqual(["stopped", ["SIGTERM"]]);
  const late = stoppable(abortion.signal);
  expect([await late.done, late.stopped]).toEqual(["stopped", ["SIGTERM"]]);
  const ended = new AbortController();
  const over = stoppable(ended.signal);
  over.resolve("done");
  await over.done;
  ended.abort();
  expect(over.stopped).toEqual([]);
});

it("the end of this process stops work and removes files, unless they are gone", async () => {
  const removed: string[] = [];
  const forget = ["a", "b"].map((name) => removedAtEnd(() => void removed.push(name)));
  forget[0]?.();
  const work = stoppable();
  for (const listener of process.listeners("exit").slice(before[3])) (listener as (code: number) => void)(1);
  expect([removed, work.stopped]).toEqual([["b"], ["SIGTERM"]]);
  await work.done;
  forget[1]?.();
});

const aborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));

it.each(signals)("an action is aborted by %s, and the status is 130", async (signal) => {
  const running = untilInterrupted(aborted, "Stopped.");
  process.emit(signal, signal);
  await running;
  expect([process.exitCode, stderr.mock.calls]).toEqual([130, [["slipway: Stopped.\n"]]]);
  const silent = untilInterrupted(aborted, "");
  process.emit(signal, signal);
  await silent;
  expect(stderr).toHaveBeenCalledTimes(1);
});

it("an action that ends or fails by itself does so", async () => {
  for (const run of [untilInterrupted, endedByInterrupt]) {
    await run(async () => {}, "Stopped.");
    await expect(run(() => Promise.reject(new Error("broken")), "Stopped.")).rejects.toThrow("broken");
  }
  expect([process.exitCode, exit.mock.calls, stderr.mock.calls]).toEqual([undefined, [], []]);
});

it.each(signals)("an action that cannot be aborted ends with the process by %s", async (signal) => {
  const failing = Promise.withResolvers<void>();
  const running = endedByInterrupt(() => failing.promise, "Stopped.");
  // The child of a terminal fails before the signal is handled.
  failing.reject(new Error("child"));
  setImmediate(() => process.emit(signal, signal));
  await expect(running).rejects.toThrow("child");
  expect([exit.mock.calls, stderr.mock.calls]).toEqual([[[130]], [["slipway: Stopped.\n"]]]);
});
