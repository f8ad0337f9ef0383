import { UserError } from "../core/errors.ts";
import { wholeProgram } from "../core/protocol.ts";
import type { CallOptions } from "./call-options.ts";
import { makeCall } from "./calls.ts";
import { checkOptions } from "./check-options.ts";
import { functions, type ImageFunction, wrapped } from "./image-functions.ts";
import { encodeJson, type Json } from "./json.ts";
import { type MapInImageOptions, mapInImage } from "./map-in-image.ts";
import { callSite } from "./remote-error.ts";
import { servedCall } from "./serving.ts";
import { type Input, step } from "./steps.ts";
import { decodeArguments } from "./values.ts";

/** Options of {@link inImage}. */
export type InImageOptions = CallOptions;

type Inputs<A extends Json[]> = { [K in keyof A]: Input<A[K]> };

/** A function that runs in the image. */
export interface StepFunction<A extends Json[], R> {
  /**
   * Calls the function. Arguments may be promises, as those of other calls are: the call starts when their results are
   * there.
   */
  (...args: Inputs<A>): Promise<R>;
  /** Calls the function for every item, as {@link mapInImage} does. Items, or their list, may be promises. */
  map(items: Input<readonly A[0][]>, options?: MapInImageOptions & { readonly settled?: false }): Promise<R[]>;
}

/**
 * Wraps a function so that each call runs it inside this program's image, on the engine that {@link engine} returns.
 * Each call starts the same program in a new container or pod with a read-only root file system, runs `fn` there and
 * returns its result. If the program has no image, or there is no container engine, `fn` runs in a separate process on
 * this machine. Define functions at the top level of a module, before you call {@link main}.
 *
 * @param name the function's name, unique in the program
 * @param fn the function. Arguments and result are JSON of at most 256 MiB each, with files and folders in it (`file`,
 *   `folder`). Its output goes to standard error
 * @param options image, environment variables, network and resource limits
 * @returns the function to call. Its arguments may be promises, such as those of other calls. It rejects with
 *   `RemoteError` if `fn` throws (UserError and Failure arrive unchanged), with UserError if the arguments are not JSON
 *   or there is no image for the tag, and with UserError or Failure if the engine does not work
 * @throws UserError if the program already has a function of that name, or if an option is unknown or invalid
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function inImage<A extends Json[], R extends Json | void>(
  name: string,
  fn: (...args: A) => R | Promise<R>,
  options: InImageOptions = {},
): StepFunction<A, R> {
  if (functions.has(name) || name === wholeProgram) {
    throw new UserError(
      { code: "function-failed", culprit: name },
      `Two functions of this program are called ${JSON.stringify(name)}.`,
      "Give each its own name.",
    );
  }
  const checked = checkOptions(JSON.stringify(name), options, "keep", "version");
  const known: ImageFunction = { name, fn, options: checked };
  functions.set(name, known);
  const call = (...args: Inputs<A>): Promise<R> => {
    const site = callSite(call);
    return step({ name, takes: args }, async (given, known) => {
      const input = await encodeJson(given, `argument list of ${JSON.stringify(name)}`);
      // Already in the image: call the function directly.
      if (servedCall !== undefined) return fn(...((await decodeArguments(input)) as A));
      const programArguments = process.argv.slice(2);
      return (await makeCall({ name, input, programArguments, options: checked, site, step: known })) as R;
    });
  };
  const map: StepFunction<A, R>["map"] = (items, given) =>
    mapInImage(items as readonly Json[], call as never, given) as Promise<R[]>;
  const whole = Object.assign(call, { map });
  wrapped.set(whole, known);
  return whole;
}
