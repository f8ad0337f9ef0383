import { UserError } from "../core/errors.ts";
import { wholeProgram } from "../engine/protocol.ts";
import type { CallOptions } from "./call-options.ts";
import { makeCall } from "./calls.ts";
import type { Json } from "./json.ts";
import { servedCall } from "./serving.ts";

/** How {@link runInImage} runs the program. */
export interface RunInImageOptions extends CallOptions {
  /** The program's arguments there; none by default. */
  readonly args?: readonly string[];
}

/** Whether this process runs inside the program's image (or in place of it), started by a call of another. */
export function insideImage(): boolean {
  return servedCall !== undefined;
}

/**
 * Runs this program, from its beginning, inside its own image on the engine chosen ({@link engine}), and waits for its end.
 *
 * @returns what the body given to {@link main} returned there, as JSON; undefined where it returned nothing, and for a program that ends
 *   with status 0 without calling `main`. What it prints goes to standard error
 * @throws what the body threw there; Failure when the program ended otherwise; UserError when called inside the image, where it would not end,
 *   and as functions of `inImage`
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing has this type
export async function runInImage<R extends Json | void = Json | void>(options: RunInImageOptions = {}): Promise<R> {
  if (insideImage()) {
    throw new UserError(
      "runInImage was called inside the image, where the program would start itself for ever.",
      "Ask insideImage() first, or tell the program by `args` what to do there.",
    );
  }
  const { args = [], ...rest } = options;
  return (await makeCall({ name: wholeProgram, input: "[]", programArguments: args, options: rest })) as R;
}
