import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Machine } from "./machine.ts";

const examples = join(import.meta.dirname, "../../examples/jobs");
const jobs = { "pip-requirements.yaml": "1.16.0\n", "poetry-project.yaml": "123.5 million\n" };
const made = /slipway: making the environment of /;
/** An index that does not answer. */
const offline = { PIP_INDEX_URL: "http://127.0.0.1:1/", PIP_FIND_LINKS: "", PIP_NO_CACHE_DIR: "1", PIP_RETRIES: "1" };

/** A user with the examples and the base that they stand on. */
async function user(): Promise<Machine & { base: string }> {
  const machine = new Machine();
  for (const name of ["requirements.txt", "pyproject.toml", "poetry.lock"]) {
    machine.write({ [`code/${name}`]: readFileSync(join(examples, "code", name), "utf8") });
  }
  for (const name of Object.keys(jobs)) machine.write({ [name]: readFileSync(join(examples, name), "utf8") });
  const pushed = await machine.run("test/jobs/python_push", []);
  const [image = ""] = pushed.out.split("@", 1);
  machine.env["SLIPWAY_ENVIRONMENT_BASE"] = `${image}:3.11`;
  return Object.assign(machine, { base: image });
}

const environments = (machine: Machine) =>
  readdirSync(join(machine.home, "xdg-CACHE/slipway/environments")).filter((name) => /^[0-9a-f]{16}-/.test(name));

it("environments are made once, on processes and in containers, and need no network after that", async () => {
  const machine = await user();
  for (const [name, out] of Object.entries(jobs)) {
    for (const engine of ["process", "container"]) {
      const run = (env = {}) => machine.slipway(["job", "run", "--engine", engine, name], env);
      expect({ name, engine, ...(await run()) }).toMatchObject({ out, error: expect.stringMatching(made), status: 0 });
      const again = await run(offline);
      expect({ name, engine, ...again }).toMatchObject({ out, error: expect.not.stringMatching(made), status: 0 });
    }
    // Whoever has the registry has the environment.
    const elsewhere = { ...offline, XDG_CACHE_HOME: join(machine.home, "other-cache") };
    const shared = await machine.slipway(["job", "run", "--engine", "container", name], elsewhere);
    expect({ name, ...shared }).toMatchObject({ out, error: expect.not.stringMatching(made), status: 0 });
  }
  const unreachable = await machine.slipway(["job", "run", "--engine", "process", "pip-requirements.yaml"], {
    ...offline,
    XDG_CACHE_HOME: join(machine.home, "empty-cache"),
  });
  expect(unreachable).toMatchObject({
    out: "",
    error: expect.stringContaining("[repository-failed]"),
    status: 1,
  });
}, 600_000);

it("the image of an environment is the same whoever makes it", async () => {
  const digests: (string | undefined)[] = [];
  for (const machine of [await user(), await user()]) {
    const ran = await machine.slipway(["job", "run", "--engine", "container", "pip-requirements.yaml"]);
    expect(ran).toMatchObject({ status: 0 });
    const { out } = await machine.slipway(["registry", "ls"]);
    digests.push(/^slipway\/environments:\S+ +(sha256:\S+)/m.exec(out)?.[1]);
  }
  expect(digests[0]).toMatch(/^sha256:/);
  expect(digests[1]).toBe(digests[0]);
}, 600_000);

it("two who need the same environment make it once, and what a killed one left is cleared away", async () => {
  const machine = await user();
  const args = ["job", "run", "--engine", "process", "poetry-project.yaml"];
  const program = join(process.env["RUNFILES_DIR"] ?? "", "_main/src/slipway");
  const killed = spawn(program, args, { cwd: machine.home, env: machine.env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  for await (const chunk of killed.stderr) {
    said += chunk;
    if (made.test(said)) killed.kill("SIGKILL");
  }
  if (killed.exitCode === null && killed.signalCode === null) await once(killed, "close");
  expect(said).toMatch(made);

  const both = await Promise.all([machine.slipway(args), machine.slipway(args)]);
  for (const each of both) expect(each).toMatchObject({ out: "123.5 million\n", status: 0 });
  expect(both.filter(({ error }) => made.test(error)).length).toBe(1);
  expect(environments(machine).length).toBe(1);
}, 300_000);

it("what is not as its file or lock says is refused", async () => {
  const machine = await user();
  const run = () => machine.slipway(["job", "run", "--engine", "process", "pip-requirements.yaml"]);
  machine.write({ "code/requirements.txt": `six==1.16.0 --hash=sha256:${"0".repeat(64)}\n` });
  expect(await run()).toMatchObject({ error: expect.stringMatching(/six.*\[repository-failed\]/s), status: 2 });
  machine.write({ "code/requirements.txt": "six==1.16.0\n" });
  expect(await run()).toMatchObject({
    error: expect.stringMatching(/requirements\.txt:1: .*\[requirement-unpinned\]/s),
    status: 2,
  });

  await machine.slipway(["job", "resolve", "--engine", "process", "poetry-project.yaml"]);
  const container = await machine.slipway(["job", "run", "--engine", "container", "poetry-project.yaml"]);
  expect(container).toMatchObject({ error: expect.stringMatching(/PoetryProject.*\[lock-outdated\]/s), status: 2 });
  machine.write({ "code/pyproject.toml": "[project]\nname = 'changed'\n" });
  const changed = await machine.slipway(["job", "run", "--engine", "process", "poetry-project.yaml"]);
  expect(changed).toMatchObject({ error: expect.stringMatching(/PoetryProject.*\[lock-outdated\]/s), status: 2 });
}, 300_000);
