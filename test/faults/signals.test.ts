import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { git, repositoryOfTest } from "../../src/git/testdata/git-repository.ts";
import { gitServerOfTest } from "../../src/git/testdata/git-server.ts";
import { oneOf, type Random, randomFrom, seedOfTest } from "./testdata/seeds.ts";

const count = 100;
const parallel = 4;
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Where the build puts the command line: beside the sources in a test of Bazel's, in bazel-bin for a person. */
const built =
  ["src", "bazel-bin/src"].map((folder) => resolve(folder, "slipway.bundle/main.mjs")).find(existsSync) ?? "";

/** A command that holds temporary folders. */
interface Held {
  readonly name: string;
  readonly args: (home: string) => readonly string[];
  /** Folders of a user's home that must not be there afterwards, besides those in the temporary folder. */
  readonly left: (home: string) => readonly string[];
}

const install: Held = {
  name: "install",
  args: (home) => ["install", join(home, "bin")],
  left: (home) => {
    const versions = join(home, "bin/.slipway");
    return existsSync(versions) ? readdirSync(versions).filter((name) => name.startsWith("new-")) : [];
  },
};

/** A job whose code is a commit of a server that wants a password. */
async function jobOfGit() {
  const root = temporaryFolder();
  git(root, "init", "--quiet", "app.git");
  const repository = repositoryOfTest(join(root, "app.git"));
  const commit = repository.commit({
    "which.mjs": "export default () => new Promise((end) => setTimeout(end, 300));\n",
  });
  const password = crypto.randomUUID();
  const server = await gitServerOfTest(root, { password });
  const job = {
    interpreter: { ServerAvailableInterpreter: { interpreter_path: "SLIPWAY_INTERPRETER" } },
    code: { GitRepoCommit: { repo_url: `${server.url}/app.git/.git`, commit } },
    function: "which.mjs",
  };
  const source = { kind: "stored", username: "me", password };
  const credentials = { version: 1, credentials: [{ name: "git", service: "git", url: server.url, source }] };
  const held: Held = {
    name: "job run",
    args: (home) => ["job", "run", "--engine", "process", join(home, "job.json")],
    left: () => [],
  };
  return {
    held,
    files: { "job.json": job, "config/slipway/credentials.json": credentials },
    certificate: server.certificate,
  };
}

it(`${count} signals at random moments leave no folder, and the status tells of them`, async () => {
  const random = randomFrom(seedOfTest());
  const { held, files, certificate } = await jobOfGit();
  const root = temporaryFolder();
  let homes = 0;

  const start = ({ args }: Held): { home: string; child: ChildProcess } => {
    const home = join(root, String(homes++));
    for (const folder of ["tmp", "config/slipway", "state"])
      mkdirSync(join(home, folder), { recursive: true, mode: 0o700 });
    for (const [path, content] of Object.entries(files)) {
      writeFileSync(join(home, path), JSON.stringify(content), { mode: 0o600 });
    }
    const env = {
      ...{ PATH: process.env["PATH"], HOME: home, TMPDIR: join(home, "tmp"), GIT_SSL_CAINFO: certificate },
      ...{
        XDG_CONFIG_HOME: join(home, "config"),
        XDG_STATE_HOME: join(home, "state"),
        XDG_CACHE_HOME: join(home, "cache"),
      },
    };
    const child = spawn(process.execPath, [built, ...args(home)], {
      env,
      cwd: home,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { home, child };
  };
  const leftIn = (home: string, { left }: Held) => [...readdirSync(join(home, "tmp")), ...left(home)];

  // How long each takes when nothing comes between, on a machine that is as busy as it will be.
  const durations = new Map<Held, number>();
  await Promise.all(
    [held, install].map(async (each) => {
      const since = performance.now();
      const { home, child } = start(each);
      const [[status], said] = await Promise.all([once(child, "close"), text(child.stderr as never)]);
      expect({ name: each.name, status, said, left: leftIn(home, each) }).toMatchObject({ status: 0, left: [] });
      durations.set(each, performance.now() - since);
    }),
  );

  const problems: object[] = [];
  const tally = { before: 0, during: 0, after: 0 };
  const one = async ({ each, signal, wait, isHeld }: Plan) => {
    const { home, child } = start(each);
    const closed = once(child, "close");
    const said = text(child.stderr as never);
    while (isHeld && child.exitCode === null && leftIn(home, each).length === 0) await delay(2);
    await Promise.race([delay(wait), closed]);
    const held = leftIn(home, each).length > 0;
    child.kill(signal);
    const [code, by] = (await closed) as [number | null, NodeJS.Signals | null];
    if (code === 0) tally.after++;
    else if (held) tally.during++;
    else tally.before++;
    // docs/stability.md: 130 is the status of an interrupted command.
    const isKept = by === signal || [0, 130, 128 + constants.signals[signal]].includes(code ?? -1);
    const left = leftIn(home, each);
    if (isKept && left.length === 0) return;
    problems.push({
      command: each.name,
      signal,
      wait: Math.round(wait),
      code,
      by,
      left,
      said: (await said).slice(-300),
    });
    console.log(JSON.stringify(problems.at(-1)));
  };
  const plans = Array.from({ length: count }, () => planOf(random, [...durations]));
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      for (let plan = plans.pop(); plan; plan = plans.pop()) await one(plan);
    }),
  );
  console.log(JSON.stringify({ signals: count, ...tally, problems: problems.length }));
  expect(problems).toEqual([]);
  expect(tally.during).toBeGreaterThan(count / 5);
}, 180_000);

/** What is started, and which signal it gets when. */
interface Plan {
  readonly each: Held;
  readonly signal: NodeJS.Signals;
  /** Milliseconds, from the start or from when the first folder is there. */
  readonly wait: number;
  readonly isHeld: boolean;
}

function planOf(random: Random, durations: readonly (readonly [Held, number])[]): Plan {
  const [each, duration] = oneOf(random, durations);
  const isHeld = random() < 0.5;
  return { each, signal: oneOf(random, signals), wait: random() * (isHeld ? 100 : duration), isHeld };
}
