import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { startTimeOf } from "./processes.ts";
import { ProgramFailure, type ProgramOptions, runProgram, statusOf, tryProgram } from "./run-program.ts";

const sh = (script: string, options?: ProgramOptions) => runProgram("/bin/sh", ["-c", script, "secret-word"], options);

async function failureOf(running: Promise<unknown>): Promise<ProgramFailure> {
  const error = await running.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ProgramFailure);
  expect(String(error)).not.toContain("secret-word");
  return error as ProgramFailure;
}

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "run-program-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

it("gives status, output and errors", async () => {
  expect(await sh("echo out; echo err >&2; exit 3")).toEqual({ status: 3, stdout: "out\n", stderr: "err\n" });
  expect(await sh("kill -TERM $$")).toMatchObject({ status: 143 });
  expect(await sh("cat", { input: "in" })).toMatchObject({ stdout: "in" });
  expect(await sh('echo "$A"', { env: { A: "b" } })).toMatchObject({ stdout: "b\n" });
  expect(await sh("pwd", { cwd: "/" })).toMatchObject({ stdout: "/\n" });
  expect(await sh("cat; test -p /dev/stdin; echo $?")).toMatchObject({ stdout: "1\n" });
  expect([statusOf(3, null), statusOf(null, "SIGKILL"), statusOf(null, null)]).toEqual([3, 137, 128]);
});

it("hands its standard error to who asks for it, and keeps it", async () => {
  const heard: string[] = [];
  const result = await sh("echo err >&2", { onStderr: (chunk) => heard.push(String(chunk)) });
  expect([heard.join(""), result.stderr]).toEqual(["err\n", "err\n"]);
  const script = "test /proc/$$/fd/2 -ef /proc/$PPID/fd/2; echo $?";
  expect(await sh(script, { onStderr: "inherit" })).toEqual({ status: 0, stdout: "0\n", stderr: "" });
  expect(await sh(script)).toMatchObject({ stdout: "1\n" });
});

it.each([
  [undefined, false],
  ["pass", false],
  ["kill", true],
  ["outlive", true],
] as const)("a program that a signal shall %s is in a group of its own: %s", async (onInterrupt, own) => {
  const { stdout } = await sh("ps -o pgid= -p $$; echo $$", { ...(onInterrupt && { onInterrupt }) });
  const [group, pid] = stdout.trim().split(/\s+/);
  expect(group === pid).toBe(own);
});

it.each([
  ["pass", ["SIGTERM"], 3],
  ["kill", ["SIGTERM"], 137],
] as const)("a signal to this process does %s it", async (onInterrupt, [signal], status) => {
  const own = () => {};
  process.on(signal, own);
  onTestFinished(() => void process.off(signal, own));
  const script = "trap 'exit 3' TERM; echo here >&2; while :; do sleep 0.01; done";
  const running = sh(script, { onInterrupt, onStderr: () => process.emit(signal, signal) });
  expect(await running).toMatchObject({ status });
});

it("ends with status 127 if it cannot be started, and with its own failures else", async () => {
  const ended = { status: 127, stdout: "", stderr: "" };
  const file = join(scratch(), "text");
  writeFileSync(file, "text");
  expect([await tryProgram("no-such-program", []), await tryProgram(file, [])]).toEqual([ended, ended]);
  expect(await tryProgram("/bin/sh", ["-c", "exit 3"])).toMatchObject({ status: 3 });
  await expect(tryProgram("yes", [], { most: 10 })).rejects.toMatchObject({ reason: "long" });
  const reason = new Error("enough");
  await expect(tryProgram("true", [], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});

it("prints that it waits for a program that takes long", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => stderr.mockRestore());
  for (const notice of [undefined, "Waiting"]) {
    const onStderr = () => void vi.advanceTimersByTime(4000);
    await sh("echo here >&2; cat", { onStderr, input: "", ...(notice && { notice }) });
    expect(vi.getTimerCount()).toBe(0);
  }
  expect(stderr.mock.calls).toEqual([["slipway: Waiting (3 s)\n"]]);
});

it("tells a missing program from one that cannot be executed", async () => {
  const missing = await failureOf(runProgram("no-such-program", ["secret-word"], { remedy: "Install it." }));
  expect(missing).toMatchObject({
    reason: "missing",
    code: "program-missing",
    culprit: "no-such-program",
    problem: "no-such-program is not on PATH.",
    remedy: "Install it.",
    cause: { code: "ENOENT" },
  });
  const file = join(scratch(), "text");
  writeFileSync(file, "text");
  expect(await failureOf(runProgram(file, []))).toMatchObject({
    reason: "unstartable",
    code: "program-failed",
    culprit: file,
    how: expect.stringMatching(/^cannot be started: .*EACCES/),
  });
  expect(await failureOf(runProgram(`${file}.absent`, []))).toMatchObject({
    reason: "missing",
    culprit: `${file}.absent`,
    how: expect.stringMatching(/^cannot be started: .*ENOENT/),
  });
  expect(await failureOf(sh("exit", { cwd: `${file}.absent` }))).toMatchObject({
    reason: "unstartable",
    problem: `/bin/sh cannot be started in ${file}.absent: there is no such folder.`,
  });
  const long = ["x".repeat(300 * 1024)];
  expect(await failureOf(runProgram("/bin/true", long))).toMatchObject({ reason: "unstartable", culprit: "/bin/true" });
});

it("ends a program that prints too much, and keeps the last of its errors", async () => {
  expect(await failureOf(sh("yes", { most: 1000 }))).toMatchObject({
    reason: "long",
    culprit: "/bin/sh",
    problem: "/bin/sh wrote more than 1000 bytes.",
    remedy: "Install it, or correct its path.",
  });
  expect(await sh("yes | head -c 1000", { most: 1000 })).toMatchObject({ status: 0 });
  const { stderr } = await sh("yes | head -c 200000 >&2; echo last >&2");
  expect([stderr.length, stderr.slice(-5)]).toEqual([64 * 1024, "last\n"]);
});

it("ends a program that takes too long, with all that it started", async () => {
  const pid = join(scratch(), "pid");
  // The process in the background holds the output.
  const script = `sleep 100 & echo $! > ${pid}; wait`;
  expect(await failureOf(sh(script, { time: 200, onInterrupt: "kill" }))).toMatchObject({
    reason: "late",
    how: "did not end within 0.2 s",
  });
  await expect.poll(() => startTimeOf(Number(readFileSync(pid, "utf8")))).toBeUndefined();
});

it("ends with the output of a killed program, though another process holds it", async () => {
  const folder = scratch();
  const pid = join(folder, "pid");
  expect(await sh(`sleep 100 & echo $! > ${pid}; echo said; kill -9 $$`)).toMatchObject({
    status: 137,
    stdout: "said\n",
  });
  process.kill(Number(readFileSync(pid, "utf8")));
});

it("obeys a signal, before and while the program runs", async () => {
  const reason = new Error("enough");
  await expect(sh("exit", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const stopping = new AbortController();
  const running = sh("echo here >&2; exec sleep 100", {
    signal: stopping.signal,
    onStderr: () => stopping.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
});

it("tells an error of the input, but not that a program did not read it", async () => {
  const wrong = new Error("damaged");
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
    throw wrong;
  }
  await expect(sh("cat", { input: failing() })).rejects.toBe(wrong);
  expect(await sh("exit 4", { input: [Buffer.alloc(2 ** 22)] })).toMatchObject({ status: 4 });
});
