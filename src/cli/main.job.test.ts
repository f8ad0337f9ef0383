import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import { folderOfTest, git, repositoryOfTest } from "../git/testdata/git-repository.ts";
import { gitServerOfTest } from "../git/testdata/git-server.ts";
import { commandLine, run, start } from "./testdata/slipway.ts";

/** The command line as a user has it, in folders of the test's own. */
function machine(more: Record<string, string> = {}) {
  const home = folderOfTest();
  const folders = Object.fromEntries(
    ["STATE", "CACHE", "CONFIG"].map((name) => [`XDG_${name}_HOME`, join(home, name)]),
  );
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, ...folders, ...more };
  const place = { env, cwd: home };
  const job = (...args: string[]) => run(["job", ...args], place);
  const write = (name: string, content: string | object) => {
    writeFileSync(join(home, name), typeof content === "string" ? content : JSON.stringify(content));
    return name;
  };
  return { home, start: (...args: string[]) => start([...commandLine, "job", ...args], place), job, write };
}

const own = { ServerAvailableInterpreter: { interpreter_path: "SLIPWAY_INTERPRETER" } };
const here = { ServerAvailableFolder: { code_paths: ["."] } };

describe("slipway job", () => {
  it("runs a function: its result on stdout, what it prints on stderr, its status", async () => {
    const { job, write } = machine();
    write(
      "half.mjs",
      "export default (x) => { console.log('halving'); if (x % 2) throw new Error('odd'); return x / 2; };\n",
    );
    const file = write("job.json", { interpreter: own, code: here, function: "half.mjs", arguments: [84] });
    expect(await job("run", file)).toEqual({
      out: "42\n",
      error: expect.stringMatching(/^slipway: job job-[0-9a-f]{8}\nhalving\n$/),
      status: 0,
    });
    write("job.json", { interpreter: own, code: here, function: "half.mjs", arguments: [1] });
    expect(await job("run", file)).toMatchObject({
      out: "",
      error: expect.stringMatching(/Error: odd\n {4}at .*half\.mjs:1(.|\n)*failed with status 1\n$/),
      status: 1,
    });
  });

  it("refuses an engine that does not exist, and runs nothing", async () => {
    const { home, job, write } = machine({ SLIPWAY_ENGINE: "kubernets" });
    const file = write("job.json", { interpreter: own, command: ["/bin/sh", "-c", `touch ${home}/ran`] });
    expect(await job("run", file)).toEqual({
      out: "",
      error: printed("variable-invalid", "SLIPWAY_ENGINE=kubernets is not an engine (did you mean kubernetes?)"),
      status: 2,
    });
    expect(readdirSync(home)).toEqual(["job.json"]);
  });

  it("gives a job the values of secrets, and refuses it where one is missing, with its line", async () => {
    const { home, job, write } = machine();
    const command = ["/bin/sh", "-c", `printf %s "$PASSWORD" | wc -c`];
    const file = write(
      "job.yaml",
      `interpreter: ${JSON.stringify(own)}\ncommand: ${JSON.stringify(command)}\nenvironment: {PASSWORD: "SECRET:db-password"}\n`,
    );
    expect(await job("resolve", file)).toMatchObject({ status: 0 });
    for (const [name, place] of [
      [file, "job.yaml:3:25"],
      ["job.lock.json", "job.lock.json:9:19"],
    ] as const) {
      expect(await job("run", name)).toMatchObject({
        error: expect.stringMatching(`^${place}: .*PASSWORD names the secret db-password, which does not exist`),
        status: 2,
      });
    }
    expect((await job("ls")).out).toBe("");
    mkdirSync(join(home, "STATE/slipway/secrets"), { recursive: true });
    writeFileSync(join(home, "STATE/slipway/secrets/db-password"), "hunter2");
    expect(await job("run", file)).toMatchObject({ out: "7\n", status: 0 });
    const text = readdirSync(home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== "db-password")
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("\n");
    expect(text).not.toContain("hunter2");
  });

  it("refuses an instance type that the configuration does not have, with its line and the nearest", async () => {
    const { home, job, write } = machine();
    const deployment = `interpreter: ${JSON.stringify(own)}\ncommand: [/bin/sh, -c, "echo ran"]\n`;
    const file = write("job.yaml", `${deployment}resources: {cpu: 1, instance_type: bgi}\n`);
    expect(await job("resolve", file)).toMatchObject({ status: 0 });
    const refused = {
      out: "",
      error: expect.stringMatching(
        /^job\.yaml:3:36: resources\.instance_type is not an instance type.*\nKnown: C1, .*\[field-invalid\]\n$/,
      ),
      status: 2,
    };
    expect(await job("run", file)).toEqual(refused);
    mkdirSync(join(home, "CONFIG/slipway"), { recursive: true });
    writeFileSync(join(home, "CONFIG/slipway/config.yaml"), "instanceTypes: {big: {cpu: 2, memory: 1GiB}}\n");
    const nearest = expect.stringMatching(/\(did you mean big\?\)\.\nKnown: big, C1, /);
    expect(await job("run", file)).toMatchObject({ error: nearest, status: 2 });
    expect(await job("run", "job.lock.json")).toMatchObject({
      error: expect.stringMatching(/^job\.lock\.json:\d+:\d+: deployment\.resources\.instance_type is not an/),
      status: 2,
    });
    expect((await job("ls")).out).toBe("");
    write("job.yaml", `${deployment}resources: {instance_type: big}\n`);
    await job("resolve", file);
    expect(await job("run", file)).toMatchObject({ out: "ran\n", status: 0 });
  });

  it("ends without a word when nobody reads any more what a job printed", async () => {
    const { job, start, write } = machine();
    const file = write("job.json", { interpreter: own, command: ["/bin/sh", "-c", "seq 1 400000"] });
    const [id = ""] = (await job("run", "--detach", file)).out.split("\n");
    await job("logs", "--follow", id);
    const child = start("logs", id);
    child.stdout?.once("data", () => child.stdout?.destroy());
    const [error, [status]] = await Promise.all([text(child.stderr as never), once(child, "close")]);
    expect([error, status]).toEqual(["", 141]);
  });

  it("runs a branch at the commit that was resolved, from a server that wants a password, and shows that it moved", async () => {
    const root = folderOfTest();
    git(root, "init", "--quiet", "app.git");
    const repository = repositoryOfTest(join(root, "app.git"));
    const server = await gitServerOfTest(root, { password: "hunter2" });
    const { home, job, write } = machine({ GIT_SSL_CAINFO: server.certificate });
    write("secret", "me\nhunter2\n");
    mkdirSync(join(home, "CONFIG/slipway"), { recursive: true });
    const source = { service: "git", url: server.url, source: { kind: "file", path: join(home, "secret") } };
    writeFileSync(
      join(home, "CONFIG/slipway/credentials.json"),
      JSON.stringify({ version: 1, credentials: [source] }),
      { mode: 0o600 },
    );

    const first = repository.commit({ "src/which.mjs": "export default () => 'first';\n" });
    const code = { GitRepoBranch: { repo_url: `${server.url}/app.git/.git`, path_to_source: "src" } };
    const file = write("job.yaml", { interpreter: own, code, function: "which.mjs" });
    expect(await job("resolve", file)).toEqual({ out: "job.lock.json\n", error: "", status: 0 });
    const lock = readFileSync(join(home, "job.lock.json"), "utf8");
    expect(await job("resolve", file)).toMatchObject({ error: "" });
    expect(readFileSync(join(home, "job.lock.json"), "utf8")).toBe(lock);
    expect(await job("diff", "--exit-code", file)).toEqual({
      out: "",
      error: "Nothing moved since job.lock.json was made.\n",
      status: 0,
    });

    const second = repository.commit({ "src/which.mjs": "export default () => 'second';\n" });
    expect(await job("diff", "--exit-code", file)).toEqual({
      out: `code.GitRepoCommit.commit (branch main): "${first}" -> "${second}"\n`,
      error: "",
      status: 1,
    });
    expect(await job("run", file)).toMatchObject({ out: '"first"\n', status: 0 });
    const asked = server.requests.length;
    expect(await job("run", "job.lock.json")).toMatchObject({ out: '"first"\n', status: 0 });
    expect(server.requests.length).toBe(asked);
    // Locks have a journal for a moment.
    const kept = readdirSync(join(home, "STATE"), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.endsWith("-journal"),
    );
    expect(kept.length).toBeGreaterThan(0);
    for (const entry of kept)
      expect(readFileSync(join(entry.parentPath, entry.name), "latin1")).not.toContain("hunter2");

    write("job.yaml", { interpreter: own, code, function: "which.mjs", retries: 1 });
    expect(await job("run", file)).toMatchObject({
      error: printed("lock-outdated", "job.lock.json"),
      status: 2,
    });
  });

  it("says what a process is not held to", async () => {
    const { job, write } = machine();
    const file = write("job.json", {
      interpreter: own,
      command: ["/bin/echo", "x"],
      resources: { memory: "1GiB" },
      network: "none",
    });
    const { error, out } = await job("run", file);
    expect(out).toBe("x\n");
    expect(error.split("\n").slice(0, 2)).toEqual([
      "slipway: a process of this machine is not held to its resources",
      "slipway: a process of this machine has its network",
    ]);
  });

  it("starts relative paths where it is told to, and keeps the lock there", async () => {
    const { home, job, write } = machine();
    mkdirSync(join(home, "project/code"), { recursive: true });
    writeFileSync(join(home, "project/code/one.mjs"), "export default () => 1;\n");
    const code = { ServerAvailableFolder: { code_paths: ["code"] } };
    const file = write("made.json", { interpreter: own, code, function: "one.mjs" });
    expect(await job("run", file, "--folder", "project")).toMatchObject({ out: "1\n", status: 0 });
    expect(await job("resolve", file, "--folder", "project")).toMatchObject({ out: "project/made.lock.json\n" });
    expect(existsSync(join(home, "project/made.lock.json"))).toBe(true);
    const { error, status } = await job("resolve", file, "--folder", "nowhere");
    expect(error).toMatch(/nowhere\/(code|made\.lock\.json)[\s\S]*\[(code-invalid|file-unwritable)\]\n$/);
    expect(status).toBe(2);
  });

  it("forgets jobs that ended: those named, or all that ended long enough ago", async () => {
    const { job, write } = machine();
    const file = write("job.json", { interpreter: own, command: ["/bin/true"] });
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) ids.push((await job("run", "--detach", file)).out.trim());
    for (const id of ids) await job("logs", "--follow", id);
    const [one = "", ...others] = ids;
    expect(await job("rm", one, "job-nowhere")).toMatchObject({
      error: printed("job-not-found", "job-nowhere"),
      status: 2,
    });
    expect(await job("rm", one)).toEqual({ out: "", error: "", status: 0 });
    expect(await job("prune")).toMatchObject({ out: "", status: 0 });
    expect(await job("prune", "--older-than", "soon")).toMatchObject({
      error: printed("command-line-invalid", "--older-than"),
      status: 2,
    });
    expect((await job("prune", "--older-than", "0")).out.trim().split("\n").sort()).toEqual(others.sort());
    expect(await job("ls")).toMatchObject({ out: "" });
  });

  it("that is interrupted leaves the job running and says how to return", async () => {
    const { home, start, job, write } = machine();
    const file = write("job.yaml", { interpreter: own, command: ["sh", "-c", "echo begun; sleep 1000"] });
    const child = start("run", file);
    const said = text(child.stderr as never);
    for await (const chunk of child.stdout ?? []) {
      if (String(chunk).includes("begun")) break;
    }
    child.kill("SIGINT");
    expect((await once(child, "exit"))[0]).toBe(130);
    const [id = ""] = readdirSync(join(home, "STATE/slipway/jobs"));
    expect(await said).toBe(
      `slipway: job ${id}\nslipway: job ${id} goes on. Return to it with \`slipway job logs --follow ${id}\`, end it with \`slipway job cancel ${id}\`.\n`,
    );
    expect((await job("ls", "--last", "1")).out).toMatch(
      new RegExp(`^ID .* DURATION\n${id} +\\S+ +process +running +2\\S+Z +\\d+s\n$`),
    );
    expect(await job("ls", "--last", "0")).toMatchObject({
      error: printed("command-line-invalid", "--last"),
      status: 2,
    });
    expect((await job("logs", id)).out).toBe("begun\n");
    expect((await job("logs", id, "--tail", "0")).out).toBe("");
    expect(await job("logs", id, "--since", "1h")).toMatchObject({
      error: printed("command-line-invalid", "--since"),
      status: 2,
    });
    expect((await job("cancel", id)).error).toBe(`slipway: job ${id} cancelled with status 143\n`);
    expect((await job("status", id)).out).toBe(`job ${id} cancelled with status 143\n`);
    expect(await job("cancel", id)).toMatchObject({ error: printed("job-state", id), status: 2 });
  });

  it("that is detached is followed later, and ends as the job does", async () => {
    const { job, write } = machine();
    const file = write("a job.yaml", { interpreter: own, command: ["sh", "-c", "echo done; exit 3"] });
    const id = (await job("run", "--detach", file)).out.trim();
    expect(id).toMatch(/^a-job-[0-9a-f]{8}$/);
    expect(await job("logs", "--follow", id)).toMatchObject({ out: "done\n", status: 3 });
    expect(JSON.parse((await job("status", "--json", id)).out)).toMatchObject({ id, state: "failed", exitStatus: 3 });
  });

  it("refuses a matrix on this machine", async () => {
    const { job, write } = machine();
    const file = write("job.yaml", {
      ...{ interpreter: own, command: ["/bin/true"], matrix: { SEED: [1, 2], LR: [0.1, 0.2] } },
    });
    expect(await job("run", file)).toEqual({ out: "", error: printed("engine-unavailable", "job.yaml"), status: 2 });
    expect(await job("logs", "--item", "0", "job-00000000")).toMatchObject({
      error: printed("command-line-invalid", "--item"),
      status: 2,
    });
  });

  it("refuses a schedule on this machine with the line for cron, and runs it once", async () => {
    const { home, job, write } = machine();
    const schedule = { schedule: "0 3 * * *", time_zone: "Europe/Berlin" };
    const file = write("my job.json", { interpreter: own, command: ["/bin/echo", "x"], ...schedule });
    const { error, status } = await job("run", file);
    expect([error, status]).toEqual([printed("engine-unavailable", "my job.json"), 2]);
    expect(error).toContain(
      `\n  CRON_TZ=Europe/Berlin\n  0 3 * * * slipway job run --once '${join(home, file)}' [engine-unavailable]\n`,
    );
    expect(await job("run", "--once", file)).toMatchObject({ out: "x\n", status: 0 });
  });

  it("tells mistakes by file, line and column", async () => {
    const { home, job, write } = machine();
    const misspelt = write("job.yaml", "interpretr: x\n");
    for (const [args, code, culprit] of [
      [["run", misspelt], "field-invalid", /^job\.yaml:1:1: .*did you mean interpreter\?/],
      [["diff", write("other.yaml", "x")], "lock-outdated", "other.lock.json"],
      [["resolve", "x.lock.json"], "command-line-invalid", "x.lock.json"],
      [["status", "nope"], "job-not-found", "nope"],
    ] as const) {
      expect(await job(...args)).toEqual({ out: "", error: printed(code, culprit), status: 2 });
    }
    expect(existsSync(join(home, "STATE/slipway/jobs"))).toBe(false);
  });
});
