import { exitStatusOf, Failure, reportOf, UserError } from "../core/errors.ts";
import { stopAll } from "../core/interrupts.ts";
import { openedHelper } from "./helper.ts";
import { functions } from "./image-functions.ts";
import type { Json } from "./json.ts";
import { served } from "./served.ts";
import { Worker } from "./worker.ts";

// An error at the top of a module, such as an unknown option of a function. Node would print the bundle's source.
process.on("uncaughtExceptionMonitor", (error) => {
  const isOurs = error instanceof UserError || error instanceof Failure;
  if (!isOurs || process.listenerCount("uncaughtException") > 0) return;
  process.stderr.write(`${reportOf(error)}\n`);
  process.exit(error.exitStatus);
});

/**
 * Runs the program. If this process is a worker, it serves the program's functions instead. If the program throws, the
 * error is printed, running functions are stopped, and the process exits with status 1, or 2 for a {@link UserError}.
 *
 * @param program the program's body. Its arguments are in `process.argv`. Its result is only used by `runInImage`,
 *   which returns it
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing has this type
export async function main(program: () => Json | void | Promise<Json | void>): Promise<void> {
  if (served !== undefined) return new Worker(served, functions, program).run();
  try {
    await program();
    await (await openedHelper())?.settle();
  } catch (error) {
    process.stderr.write(`${reportOf(error)}\n`);
    await stopAll("SIGTERM");
    process.exit(exitStatusOf(error));
  }
}
