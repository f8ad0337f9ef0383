import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { signalGroup } from "../core/process-group.ts";
import { startTimeOf } from "../core/processes.ts";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { hasEnded, keptFor } from "./engine.ts";
import { findJobFolder, readRecord, writeRecord } from "./job-folder.ts";
import { code, engine, firstWords, home, root, run, submit, textOf } from "./testdata/jobs.ts";

const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path)) ?? "";

describe("a command", () => {
  it("runs in the first folder of its code, with its own variables and those the machine needs", async () => {
    const id = await submit(
      {
        command: ["/bin/sh", "-c", 'pwd; echo "$GREETING $PYTHONPATH"; env; echo oops >&2'],
        environment: { GREETING: "hello", PYTHONDONTWRITEBYTECODE: "mine" },
      },
      { AWS_SECRET_ACCESS_KEY: "hunter2" },
    );
    const { stdout, stderr } = await textOf(engine.logs(id, { follow: true }));
    expect(stdout).toMatch(`${home}/code\nhello ${home}/code:${home}/lib\n`);
    expect(stdout).toMatch("PYTHONDONTWRITEBYTECODE=mine\n");
    expect(stdout).not.toContain("hunter2");
    expect(stderr).toBe("oops\n");
    expect(await engine.status(id)).toMatchObject({
      id: expect.stringMatching(/^a-test-[0-9a-f]{8}$/),
      state: "succeeded",
      exitStatus: 0,
      attempts: 1,
    });
  });

  it("has the values of secrets, which nothing that is written down has", async () => {
    await new LocalSecrets({ XDG_STATE_HOME: home }).set("db-password", Buffer.from("hunter2"));
    const file = join(folderOfTest(), "printed");
    const command = ["/bin/sh", "-c", `printf %s "$PASSWORD" > ${file}; tr '\\0' ' ' < /proc/$PPID/cmdline`];
    const { status } = await run({ command, environment: { PASSWORD: "SECRET:db-password" } });
    expect(status.state).toBe("succeeded");
    expect(readFileSync(file, "utf8")).toBe("hunter2");
    const written = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    // The supervisor removes its lock a moment after the job's end.
    const paths = written.map((entry) => join(entry.parentPath, entry.name)).filter((path) => existsSync(path));
    const text = paths.map((path) => (path.endsWith("lock-journal") ? "" : readFileSync(path, "latin1"))).join("\n");
    expect(text).toContain("SECRET:db-password");
    expect(text).not.toContain("hunter2");
  });

  it("whose secret is not there is refused, and there is no job", async () => {
    const before = await engine.list();
    const missing = userErrorWith("secret-not-found", "SECRET:nothing");
    await expect(submit({ command: ["true"], environment: { A: "SECRET:nothing" } })).rejects.toThrow(missing);
    expect(await engine.list()).toEqual(before);
  });

  it("gives its status", async () => {
    const { status } = await run({ command: ["/bin/sh", "-c", "exit 7"] });
    expect(status).toMatchObject({ state: "failed", exitStatus: 7 });
  });

  it("that is not there is named, and not tried again", async () => {
    for (const program of ["no-such-program", "/dev/null"]) {
      const { status } = await run({ command: [program], retries: 2 });
      expect(status).toMatchObject({ state: "failed", exitStatus: 127, attempts: 1 });
      expect(status.reason).toContain(`${program} was not found`);
    }
  });

  it("is tried again as often as it may be", async () => {
    const marks = join(home, "marks");
    const script = `echo x >> ${marks}; test $(wc -l < ${marks}) = 3`;
    const { status, text } = await run({ command: ["/bin/sh", "-c", script], retries: 5 });
    expect(status).toMatchObject({ state: "succeeded", attempts: 3 });
    const again = (attempt: number) => `slipway: attempt ${attempt} of 6 failed with status 1; trying again\n`;
    expect(text.stderr).toBe(again(1) + again(2));
    expect((await run({ command: ["/bin/false"], retries: 1 })).status).toMatchObject({ state: "failed", attempts: 2 });
  });

  it("may have a time limit of more than 24 days", async () => {
    const { status } = await run({ command: ["/bin/sh", "-c", "sleep 0.3"], time_limit: 40 * 24 * 3600 });
    expect(status).toMatchObject({ state: "succeeded" });
  });

  it("ends at its time limit with all that it started", async () => {
    const { status, text } = await run({ command: ["/bin/sh", "-c", "sleep 1000 & echo $!; wait"], time_limit: 1 });
    expect(status).toMatchObject({ state: "failed", reason: "It took longer than its time limit of 1 s." });
    expect(startTimeOf(Number(text.stdout))).toBeUndefined();
  });

  it("leaves nothing running when it ends by itself", async () => {
    const { status, text } = await run({ command: ["/bin/sh", "-c", "sleep 1000 & echo $!"] });
    expect(status.state).toBe("succeeded");
    expect(startTimeOf(Number(text.stdout))).toBeUndefined();
  });

  it("has no result", async () => {
    expect(await run({ command: ["/bin/true"] })).not.toHaveProperty("reply");
  });
});

describe("a function in TypeScript", () => {
  it("gives its result; what it prints is its log", async () => {
    const double = "export default async (x: number) => { console.log('busy'); return { twice: x * 2 }; };\n";
    const name = code("double.ts", double);
    const { reply, text } = await run({ function: name, arguments: [21] });
    expect(reply).toEqual({ result: { twice: 42 } });
    expect(text.stdout).toBe("busy\n");
  });

  it("that throws comes back with its stack", async () => {
    const deep = "function deep(): never { throw new RangeError('too far'); }\nexport default () => deep();\n";
    const name = code("throws.ts", deep);
    const { reply, status } = await run({ function: name });
    expect(reply).toMatchObject({
      error: { name: "RangeError", message: "too far", details: expect.stringMatching(/at deep \(.*throws\.ts:1/) },
    });
    expect(JSON.stringify(reply)).not.toMatch(/\[eval|node:internal/);
    expect(status).toMatchObject({ state: "failed", exitStatus: 1 });
  });

  it("that ends without a result has failed", async () => {
    const name = code("exits.ts", "export default () => process.exit(0);\n");
    const { status } = await run({ function: name });
    const reason = "It ended before its function gave a result.";
    expect(status).toMatchObject({ state: "failed", exitStatus: 1, reason });
  });

  it("gives no result that is too large", async () => {
    const name = code("large.ts", "export default () => 'x'.repeat(17 * 1024 * 1024);\n");
    const message = "the result takes 17825805 bytes as JSON, and at most 16777216 go through";
    expect((await run({ function: name })).reply).toMatchObject({ error: { message } });
  });
});

describe.skipIf(python === "")("a function in Python", () => {
  const interpreter = { ServerAvailableInterpreter: { interpreter_path: python } };
  const text = `
import helper, sys
class Report:
    @staticmethod
    def total(a, b):
        print("adding")
        return {"sum": a + b + helper.VALUE, "python": sys.executable}
async def later(): return "done"
async def late(): raise KeyError("late")
def fails(): raise KeyError("missing")
def strange(): return object()
def quits(): sys.exit(3)
`;

  it("gives its result, from any folder of the code", async () => {
    code("report.py", text);
    const { reply, text: printed } = await run({ interpreter, function: "report:Report.total", arguments: [1, 1] });
    expect(reply).toMatchObject({ result: { sum: 42 } });
    expect(printed.stdout).toBe("adding\n");
    expect((await run({ interpreter, function: "report:later" })).reply).toEqual({ result: "done" });
    expect(existsSync(join(home, "code/__pycache__"))).toBe(false);
  });

  it("that fails comes back with the traceback, and without that of the runner", async () => {
    code("report.py", text);
    const { reply } = await run({ interpreter, function: "report:fails" });
    expect(reply).toMatchObject({ error: { name: "KeyError", message: "'missing'" } });
    const { details } = (reply as { error: { details: string } }).error;
    expect(details).toMatch(/^Traceback .*\n {2}File ".*report\.py", line \d+, in fails/);
  });

  it.each([
    ["report:gone", "AttributeError"],
    ["nowhere:f", "ModuleNotFoundError"],
    ["report:strange", "TypeError"],
    ["report:quits", "SystemExit"],
    ["report:late", "KeyError"],
  ])("%s fails with its %s", async (name, error) => {
    code("report.py", text);
    const { reply } = await run({ interpreter, function: name });
    expect(reply).toMatchObject({ error: { name: error } });
    expect(JSON.stringify(reply)).not.toMatch(/<string>|importlib|asyncio/);
  });

  it("finds `python3` to be its interpreter in a command", async () => {
    const command = ["python3", "-c", "import helper; print(helper.VALUE)"];
    const { text: printed } = await run({ interpreter, command });
    expect(printed.stdout).toBe("40\n");
  });
});

describe("a job", () => {
  it("that is cancelled ends with all that it started", async () => {
    const command = ["/bin/sh", "-c", "trap '' TERM; sleep 1000 & echo $!; wait; wait"];
    const id = await submit({ command, retries: 3 });
    const pid = Number(await firstWords(id));
    expect(startTimeOf(pid)).toBeDefined();
    // It is killed after five seconds.
    const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    onTestFinished(() => said.mockRestore());
    await engine.cancel(id);
    expect(said.mock.calls.map(([text]) => text)).toContain(`slipway: Waiting for job ${id} to end (3 s)\n`);
    expect(await engine.status(id)).toMatchObject({ state: "cancelled", attempts: 1 });
    expect(startTimeOf(pid)).toBeUndefined();
    await engine.cancel(id);
  });

  it("whose supervisor is killed has failed, and nothing of it stays", async () => {
    const id = await submit({ command: ["/bin/sh", "-c", "sleep 1000 & echo $!; wait"] });
    const pid = Number(await firstWords(id));
    const { pid: supervisor = 0, group } = await readRecord(findJobFolder(root, id));
    process.kill(supervisor, "SIGKILL");
    const { status } = await engine.collect(id);
    const reason = "Its supervisor was killed, or this machine was restarted.";
    expect(status).toMatchObject({ state: "failed", reason });
    expect(startTimeOf(pid)).toBeUndefined();
    expect(signalGroup(group?.pid ?? 0, 0)).toBe(false);
  });

  it("is listed with all others, and told from what is none", async () => {
    const id = await submit({ command: ["/bin/true"] });
    await engine.collect(id);
    const jobs = await engine.list();
    expect(jobs.at(-1)).toMatchObject({ id, state: "succeeded", engine: "process", name: expect.any(String) });
    expect(jobs.every(hasEnded)).toBe(true);
    await expect(engine.status("none-00000000")).rejects.toThrow(userErrorWith("job-not-found", "none-00000000"));
    await expect(engine.status("../x")).rejects.toThrow(userErrorWith("job-not-found", "../x"));
  });

  it.each([
    [0, ""],
    [1, "c"],
    [2, "b\nc"],
    [9, "a\nb\nc"],
  ])("shows the last %i lines of what it printed", async (tail, words) => {
    const id = await submit({ command: ["/usr/bin/printf", "a\\nb\\nc"] });
    await engine.collect(id);
    let text = "";
    for await (const { data } of engine.logs(id, { follow: false, tail })) text += data;
    expect(text).toBe(words);
  });

  it("keeps its files to its user", async () => {
    const id = await submit({ command: ["/bin/true"], environment: { TOKEN: "x" } });
    await engine.collect(id);
    const { path } = findJobFolder(root, id);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(path, "program.json"), "utf8")).toContain("TOKEN");
  });
});

describe("a job that has ended", () => {
  it("is forgotten when asked to, with all its files, and never while it runs", async () => {
    const { status } = await run({ command: ["/bin/echo", "x"] });
    await engine.remove(status.id);
    await expect(engine.status(status.id)).rejects.toThrow(userErrorWith("job-not-found", status.id));
    expect((await engine.list()).map(({ id }) => id)).not.toContain(status.id);
    expect(existsSync(join(root, status.id))).toBe(false);
    await expect(engine.remove(status.id)).rejects.toThrow(userErrorWith("job-not-found", status.id));

    const forever = await submit({ command: ["/bin/sh", "-c", "echo here; read -r line < /dev/zero"] });
    await firstWords(forever);
    await expect(engine.remove(forever)).rejects.toThrow(userErrorWith("job-state", forever));
    await engine.cancel(forever);
    await engine.remove(forever);
  });

  it("is forgotten by itself after 30 days, when another is submitted", async () => {
    const aged = async (age: number) => {
      const { id } = (await run({ command: ["/bin/true"] })).status;
      const folder = findJobFolder(root, id);
      await writeRecord(folder, { ...(await readRecord(folder)), ended: new Date(Date.now() - age).toISOString() });
      return id;
    };
    const [recent, old] = [await aged(keptFor - 60_000), await aged(keptFor + 1000)];
    await run({ command: ["/bin/true"] });
    const ids = (await engine.list()).map(({ id }) => id);
    expect(ids).not.toContain(old);
    expect(ids).toContain(recent);
  });
});
