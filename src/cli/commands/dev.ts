import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import type { Argv } from "yargs";
import { Failure, UserError } from "../../core/errors.ts";
import { findBazel } from "../dev/bazel.ts";
import { findIbazel } from "../dev/ibazel.ts";

export function builder(yargs: Argv): Argv {
  return yargs
    .positional("target", { type: "string", demandOption: true, describe: "What `bazel run` would be given" })
    .epilogue("What follows -- are the program's own arguments.")
    .example("$0 dev //train:main_local", "Start the program again after every edit")
    .example("$0 dev //train:main", "Push what an edit changed, then start the program again");
}

/** What Bazel tells a program that it runs, and no other one. */
const ofThisRun = [
  "BUILD_EXECROOT",
  "BUILD_ID",
  "BUILD_WORKING_DIRECTORY",
  "BUILD_WORKSPACE_DIRECTORY",
  "JAVA_RUNFILES",
  "RUNFILES_DIR",
  "RUNFILES_MANIFEST_FILE",
];

/** Runs a target, and again whenever a file that it is made of changes, until a signal ends it. */
export async function handler(options: object): Promise<void> {
  const { target } = options as { readonly target: string };
  const { argv } = process;
  const separator = argv.indexOf("--");
  const args = separator < 0 ? [] : argv.slice(separator);
  const { env } = process;
  const folder = env["BUILD_WORKING_DIRECTORY"] ?? process.cwd();
  const bazel = findBazel(env, folder);
  if (bazel === undefined) {
    throw new UserError(
      "There is no Bazel: neither bazelisk nor bazel is on PATH.",
      "Bring it by `npm install --global @bazel/bazelisk`.",
    );
  }
  const ibazel = await findIbazel(env);
  const words = [`-bazel_path=${bazel}`, "-run_output=false", "run", target, ...args];
  // A session of its own: the terminal's interrupt comes here alone, and one is enough. ibazel wants two.
  const child = spawn(ibazel, words, {
    cwd: folder,
    env: Object.fromEntries(Object.entries(env).filter(([name]) => !ofThisRun.includes(name))),
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const ended = once(child, "exit");
  const signal = await Promise.race([ended.then(() => undefined), firstSignal()]);
  if (signal === undefined) return report(child);
  stop(child);
  await ended;
  process.exitCode = 128 + constants.signals[signal];
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  });
}

/** Ends ibazel, which ends the program first, with SIGKILL after 10 s, and a Bazel that is just building for it. */
function stop(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), "SIGTERM");
  } catch {
    // It has just ended by itself.
  }
}

function report({ exitCode, signalCode }: ChildProcess): void {
  throw new Failure(`ibazel ended with ${signalCode ?? `status ${exitCode}`}.`, "Look at what it printed above.");
}
