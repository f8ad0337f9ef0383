import { UserError } from "../core/errors.ts";
import { wholeProgram } from "../core/protocol.ts";
import type { CallOptions } from "./call-options.ts";
import { makeCall } from "./calls.ts";
import { checkOptions } from "./check-options.ts";
import type { Json } from "./json.ts";
import { callSite } from "./remote-error.ts";
import { served } from "./served.ts";
import { step } from "./steps.ts";
import { encodeValue } from "./values.ts";

/** Options of {@link runInImage}. */
export interface RunInImageOptions
  extends Omit<CallOptions, "keep" | "version" | "fresh" | "maxCalls" | "concurrency" | "batch" | "keepWarm"> {
  /** The program's arguments in the image. Default: none. */
  readonly args?: readonly string[];
}

/**
 * Returns whether this process was started by a call of {@link inImage}, {@link mapInImage} or {@link runInImage}: in
 * the image, or in a process instead.
 */
export function insideImage(): boolean {
  return served !== undefined;
}

/**
 * Runs this whole program inside its own image, on the engine that {@link engine} returns, and waits for its end. Its
 * output goes to standard error.
 *
 * @param options the program's arguments there, and options as for `inImage`
 * @returns the result of the body that was given to `main`, as JSON. Undefined if it returned nothing, or if the
 *   program exits with status 0 without calling `main`
 * @throws RemoteError if the body throws there; UserError and Failure arrive unchanged
 * @throws Failure if the program ends in another way
 * @throws UserError if it is called inside the image, where it would never end, if an option is unknown or invalid, if
 *   there is no image for the tag, or if the engine does not work
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a program that returns nothing has this type
export function runInImage<R extends Json | void = Json | void>(options: RunInImageOptions = {}): Promise<R> {
  const site = callSite(runInImage);
  return step({ name: wholeProgram, takes: [] }, async (_, known) => {
    if (insideImage()) {
      throw new UserError(
        { code: "function-failed", culprit: "runInImage" },
        "runInImage was called inside the image, where the program would start itself forever.",
        "Check insideImage() first, or pass `args` that tell the program what to do there.",
      );
    }
    const { args = [], ...rest } = checkOptions("runInImage", options, "args");
    const call = { name: wholeProgram, programArguments: args, options: { ...rest, fresh: true }, site, step: known };
    return (await makeCall(call, await encodeValue([], "argument list"))) as R;
  });
}
