import { exitStatusOf, Failure, UserError } from "../core/errors.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { endReport } from "../core/wire-error.ts";
import { Destinations } from "./destination.ts";
import { runfilesFolder } from "./environment.ts";
import { launch } from "./launch.ts";
import { tell } from "./output.ts";
import { readRequest } from "./request.ts";
import { Runfiles } from "./runfiles.ts";

/**
 * `launcher REQUEST ARGUMENTS…`. Users wait for it, so it loads modules only when needed: with nothing to push, neither
 * Node's HTTP client nor node:crypto. V8's compile cache would save only 1 ms.
 */
async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [requestPath, ...args] = argv;
  const folder = env[runfilesFolder];
  if (requestPath === undefined || !folder) {
    throw new UserError(
      { code: "started-by-hand", culprit: runfilesFolder },
      "The launcher was started by hand.",
      "Start its target with bazel run.",
    );
  }
  const request = readRequest(requestPath);
  const runfiles = new Runfiles(folder, request.target);
  const destinations = new Destinations(request, runfiles, env);
  const { mode, program } = request;
  if (mode === "push") return (await import("./push.ts")).push(request, args, runfiles, destinations, env);
  if (mode === "load") return (await import("./load.ts")).load(request, args, runfiles, env);
  if (program === undefined) {
    const identity = { code: "target-invalid", culprit: request.target } as const;
    throw new Failure(identity, `${request.target} names no program.`, "Build the target again.");
  }
  return launch({ ...request, program }, args, runfiles, destinations, env);
}

reportUncaught();
main(process.argv.slice(2), process.env).catch((error) => {
  tell(`slipway: ${endReport(error)}\n`);
  // Do not wait for running transfers: their results are no longer needed.
  process.exit(exitStatusOf(error));
});
