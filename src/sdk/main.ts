import { exitStatusOf, messageOf } from "../core/errors.ts";
import { stopAll } from "../core/interrupts.ts";
import { functions } from "./in-image.ts";
import type { Json } from "./json.ts";
import { serve, servedCall } from "./serving.ts";

/**
 * Runs the program, unless this process was started to serve one of its functions, which it then does and ends.
 * An exception is printed and ends the process with status 1 (2 for a mistake of the user's), once no function of it runs any longer.
 *
 * @param program the program's body; its arguments are in `process.argv`. What it returns is the result of `runInImage`, and of no use otherwise
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing has this type
export async function main(program: () => Json | void | Promise<Json | void>): Promise<void> {
  if (servedCall !== undefined) return serve(servedCall, functions, program);
  try {
    await program();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    await stopAll("SIGTERM");
    process.exit(exitStatusOf(error));
  }
}
