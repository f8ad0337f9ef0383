import { exitStatusOf, Failure, reportOf, UserError } from "../core/errors.ts";
import { stopAll } from "../core/interrupts.ts";
import { settleCalls } from "../functions/helper.ts";
import { functions } from "./image-functions.ts";
import type { Json } from "./json.ts";
import { serve } from "./serve.ts";
import { servedCall } from "./serving.ts";

// An error at the top of a module, such as an unknown option of a function. Node would print the bundle's source.
process.on("uncaughtExceptionMonitor", (error) => {
  const isOurs = error instanceof UserError || error instanceof Failure;
  if (!isOurs || process.listenerCount("uncaughtException") > 0) return;
  process.stderr.write(`${reportOf(error)}\n`);
  process.exit(error.exitStatus);
});

/**
 * Runs the program. If this process was started to run one of the program's functions, it runs only that function and
 * exits. If the program throws, the error is printed, running functions are stopped, and the process exits with status
 * 1, or 2 for a {@link UserError}.
 *
 * @param program the program's body. Its arguments are in `process.argv`. Its result is only used by `runInImage`,
 *   which returns it
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing has this type
export async function main(program: () => Json | void | Promise<Json | void>): Promise<void> {
  if (servedCall !== undefined) return serve(servedCall, functions, program);
  try {
    await program();
    await settleCalls();
  } catch (error) {
    process.stderr.write(`${reportOf(error)}\n`);
    await stopAll("SIGTERM");
    process.exit(exitStatusOf(error));
  }
}
