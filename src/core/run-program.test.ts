import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startTimeOf } from "./processes.ts";
import { ProgramFailure, type ProgramOptions, runProgram } from "./run-program.ts";

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
});

it("tells a missing program from one that cannot be executed", async () => {
  const missing = await failureOf(runProgram("no-such-program", ["secret-word"], { remedy: "Install it." }));
  expect(missing).toMatchObject({
    reason: "missing",
    code: "program-missing",
    culprit: "no-such-program",
    remedy: "Install it.",
  });
  const file = join(scratch(), "text");
  writeFileSync(file, "text");
  expect(await failureOf(runProgram(file, []))).toMatchObject({
    reason: "unstartable",
    code: "program-failed",
    culprit: file,
  });
  expect(await failureOf(runProgram(`${file}.absent`, []))).toMatchObject({
    reason: "missing",
    culprit: `${file}.absent`,
  });
  expect(await failureOf(sh("exit", { cwd: `${file}.absent` }))).toMatchObject({ reason: "unstartable" });
  const long = ["x".repeat(300 * 1024)];
  expect(await failureOf(runProgram("/bin/true", long))).toMatchObject({ reason: "unstartable", culprit: "/bin/true" });
});

it("ends a program that prints too much, and keeps the last of its errors", async () => {
  expect(await failureOf(sh("yes", { most: 1000 }))).toMatchObject({ reason: "long", culprit: "/bin/sh" });
  expect(await sh("yes | head -c 1000", { most: 1000 })).toMatchObject({ status: 0 });
  const { stderr } = await sh("yes | head -c 200000 >&2; echo last >&2");
  expect([stderr.length, stderr.slice(-5)]).toEqual([64 * 1024, "last\n"]);
});

it("ends a program that takes too long, with all that it started", async () => {
  const pid = join(scratch(), "pid");
  // The process in the background holds the output.
  const script = `sleep 100 & echo $! > ${pid}; wait`;
  expect(await failureOf(sh(script, { time: 200, onInterrupt: "kill" }))).toMatchObject({ reason: "late" });
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
