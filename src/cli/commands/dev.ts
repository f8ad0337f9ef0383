import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { Failure, UserError } from "../../core/errors.ts";
import { userPath } from "../../core/user-path.ts";
import { command } from "../command.ts";
import { findBazel } from "../dev/bazel.ts";
import { findIbazel } from "../dev/ibazel.ts";
import { required } from "./options.ts";

/** Variables that Bazel sets for the program that it runs. A Bazel started from here must not see them. */
const ofThisRun = [
  "BUILD_EXECROOT",
  "BUILD_ID",
  "BUILD_WORKING_DIRECTORY",
  "BUILD_WORKSPACE_DIRECTORY",
  "JAVA_RUNFILES",
  "RUNFILES_DIR",
  "RUNFILES_MANIFEST_FILE",
];

export const dev = command(
  { target: required("Target, as for `bazel run`") },
  async ({ target }) => {
    const { argv, env } = process;
    const separator = argv.indexOf("--");
    const args = separator < 0 ? [] : argv.slice(separator);
    const folder = userPath(".");
    const bazel = findBazel(env, folder);
    if (bazel === undefined) {
      throw new UserError(
        { code: "program-missing", culprit: "bazel" },
        "There is no Bazel: neither bazelisk nor bazel is on PATH.",
        "Install it: `npm install --global @bazel/bazelisk`.",
      );
    }
    const ibazel = await findIbazel(env);
    const words = [`-bazel_path=${bazel}`, "-run_output=false", "run", target, ...args];
    // The terminal's interrupt must reach only this process: ibazel would need two.
    const child = spawn(ibazel, words, {
      cwd: folder,
      env: Object.fromEntries(Object.entries(env).filter(([name]) => !ofThisRun.includes(name))),
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    const ended = once(child, "exit");
    const signal = await Promise.race([ended.then(() => undefined), firstSignal()]);
    if (signal === undefined) {
      throw new Failure(
        { code: "program-failed", culprit: "ibazel" },
        `ibazel ended with ${child.signalCode ?? `status ${child.exitCode}`}.`,
        "Read what it printed above.",
      );
    }
    stop(child);
    await ended;
    process.exitCode = 128 + constants.signals[signal];
  },
  (yargs) =>
    yargs
      .epilogue("Arguments after -- go to the program.")
      .example("$0 dev //train:main_local", "Restart the program after every edit")
      .example("$0 dev //train:main", "After every edit, push the changed layers and restart the program"),
);

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve(signal));
  });
}

/** Stops ibazel, its program (with SIGKILL after 10 s) and a Bazel that is building for it. */
function stop(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), "SIGTERM");
  } catch {}
}
