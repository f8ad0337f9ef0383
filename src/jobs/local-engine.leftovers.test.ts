import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { takeLock } from "../core/lock.ts";
import { startTimeOf } from "../core/processes.ts";
import { type JobFolder, type JobRecord, makeJobFolder, readRecord, writeRecord } from "./job-folder.ts";
import { LocalEngine } from "./local-engine.ts";
import { makeProgram } from "./program.ts";
import { superviseJob } from "./supervise.ts";
import { code, engine, firstWords, home, plain, root, run, submit } from "./testdata/jobs.ts";

describe("what is not as usual", () => {
  /** A record of a job whose supervisor is gone. */
  async function lost(change: Partial<JobRecord>): Promise<JobFolder> {
    const folder = await makeJobFolder(root, makeProgram("lost", plain, { folders: [] }, {}), new Date(0));
    await writeRecord(folder, { ...(await readRecord(folder)), state: "running", ...change });
    return folder;
  }

  it("a daemon that left its group ends with its job, which does not wait for it", async () => {
    const { status, text } = await run({ command: ["/bin/sh", "-c", "setsid sleep 1000 & echo $!"] });
    expect(status.state).toBe("succeeded");
    expect(startTimeOf(Number(text.stdout))).toBeUndefined();
  });

  it("a job is cancelled with a daemon that left its group", async () => {
    const id = await submit({ command: ["/bin/sh", "-c", "setsid sleep 1000 & echo $!; wait"] });
    const pid = Number(await firstWords(id));
    await engine.cancel(id);
    expect(startTimeOf(pid)).toBeUndefined();
  });

  it("a job that another one submitted lives on", async () => {
    const inner = new LocalEngine({ ...process.env, XDG_STATE_HOME: home, SLIPWAY_JOB: "outer" }, [
      process.execPath,
      "-e",
      `require("node:fs").writeFileSync(${JSON.stringify(join(home, "marked"))}, String(process.env.SLIPWAY_JOB))`,
    ]);
    await inner.submit(makeProgram("inner", { ...plain, command: ["/bin/true"] }, { folders: [] }, {}));
    await expect.poll(() => existsSync(join(home, "marked"))).toBe(true);
    await expect.poll(() => readFileSync(join(home, "marked"), "utf8")).toBe("undefined");
  });

  it("variables that a shell has for itself reach the program", async () => {
    const { text } = await run({ command: ["/bin/sh", "-c", 'echo "$go"'], environment: { go: "mine" } });
    expect(text.stdout).toBe("mine\n");
  });

  it("the answer of an attempt is not that of the next one", async () => {
    const mark = join(home, "tried");
    const name = code(
      "retried.ts",
      `import { existsSync, writeFileSync } from "node:fs";
export default () => {
  if (existsSync(${JSON.stringify(mark)})) process.exit(9);
  writeFileSync(${JSON.stringify(mark)}, "");
  throw new Error("of the first");
};
`,
    );
    const outcome = await run({ function: name, retries: 1 });
    expect(outcome.status).toMatchObject({ state: "failed", attempts: 2, exitStatus: 9 });
    expect(outcome).not.toHaveProperty("reply");
  });

  it("numbers that JavaScript does not have stay what they are", async () => {
    const text = '{"result": [12345678901234567891, 1.0, -0.0, 0.1, {"a": 1e-9}, "1.0", 7]}';
    const folder = await lost({ state: "succeeded" });
    writeFileSync(folder.reply, text);
    expect(JSON.stringify((await engine.collect(folder.id)).reply)).toBe(text.replaceAll(/([:,]) /g, "$1"));
  });

  it("output that cannot be written down ends the job", async () => {
    const command = ["/bin/sh", "-c", `echo $$ > ${join(home, "full")}; echo x; sleep 1000`];
    const program = makeProgram("full", { ...plain, command }, { folders: [] }, { PATH: process.env["PATH"] });
    const folder = await makeJobFolder(root, program, new Date());
    rmSync(folder.stdout);
    symlinkSync("/dev/full", folder.stdout);
    await superviseJob(folder);
    expect(await readRecord(folder)).toMatchObject({ state: "failed", reason: expect.stringContaining("ENOSPC") });
    expect(startTimeOf(Number(readFileSync(join(home, "full"), "utf8")))).toBeUndefined();
  });

  it("jobs are listed while others are forgotten", async () => {
    const folders = await Promise.all(Array.from({ length: 40 }, () => lost({ state: "succeeded" })));
    await Promise.all(folders.flatMap(({ id }) => [engine.remove(id), engine.list()]));
    const listed = await engine.list();
    expect(listed.filter(({ id }) => folders.some((each) => each.id === id))).toEqual([]);
  });

  it("a process that has the number of a supervisor is left alone", async () => {
    const bystander = spawn("sleep", ["1000"]);
    try {
      const folder = await lost({ pid: bystander.pid as number, startTime: "1" });
      // Another client is about to write down the job's end.
      const lock = takeLock(folder.lock);
      const cancelled = engine.cancel(folder.id);
      await expect.poll(() => existsSync(folder.cancelled)).toBe(true);
      await writeRecord(folder, { ...(await readRecord(folder)), state: "failed" });
      lock?.release();
      await cancelled;
      expect(bystander.signalCode).toBeNull();
      expect(startTimeOf(bystander.pid as number)).toBeDefined();
    } finally {
      bystander.kill("SIGKILL");
    }
  });

  it("what a killed client left is removed after a day", async () => {
    const [old, recent] = [join(root, ".old.removed"), join(root, ".recent.draft")];
    for (const folder of [old, recent]) mkdirSync(folder);
    utimesSync(old, new Date(0), new Date(0));
    await run({ command: ["/bin/true"] });
    expect([existsSync(old), existsSync(recent)]).toEqual([false, true]);
  });
});
