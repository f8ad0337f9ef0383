import { UserError } from "../core/errors.ts";
import { wholeProgram } from "../engine/protocol.ts";
import type { CallOptions } from "./call-options.ts";
import { makeCall } from "./calls.ts";
import { type CheckedOptions, checkOptions } from "./check-options.ts";
import { encodeJson, type Json } from "./json.ts";
import { callSite } from "./remote-error.ts";
import { servedCall, unknownFunction } from "./serving.ts";

/** Options of {@link inImage}. */
export type InImageOptions = CallOptions;

type Callable = (...args: never[]) => unknown;

/** A function that was defined with {@link inImage}. */
export interface ImageFunction {
  readonly name: string;
  /** The original function, which runs in this process. */
  readonly fn: Callable;
  readonly options: CheckedOptions<InImageOptions>;
}

/** The program's functions by name. */
export const functions = new Map<string, ImageFunction>();
const made = new WeakMap<Callable, ImageFunction>();

/**
 * Wraps a function so that each call runs it inside this program's image, on the engine that {@link engine} returns. Each call starts the same
 * program in a new container or pod with a read-only root file system, runs `fn` there and returns its result. If the program has no image, or
 * there is no container engine, `fn` runs in a separate process on this machine. Define functions at the top level of a module, before you call
 * {@link main}.
 *
 * @param name the function's name, unique in the program
 * @param fn the function. Arguments and result are JSON, at most 16 MiB each (on Kubernetes 8 MiB for the result). Its
 *   output goes to standard error
 * @param options image, environment variables, network and resource limits
 * @returns the function to call. It rejects with `RemoteError` if `fn` throws (UserError and Failure arrive unchanged), with UserError if the
 *   arguments are not JSON or there is no image for the tag, and with UserError or Failure if the engine does not work
 * @throws UserError if the program already has a function of that name, or if an option is unknown or invalid
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function inImage<A extends Json[], R extends Json | void>(
  name: string,
  fn: (...args: A) => R | Promise<R>,
  options: InImageOptions = {},
): (...args: A) => Promise<R> {
  if (functions.has(name) || name === wholeProgram) {
    throw new UserError(
      { code: "function-failed", culprit: name },
      `Two functions of this program are called ${JSON.stringify(name)}.`,
      "Give each its own name.",
    );
  }
  const checked = checkOptions(JSON.stringify(name), options);
  const known: ImageFunction = { name, fn, options: checked };
  functions.set(name, known);
  const call = async (...args: A) => {
    const site = callSite(call);
    const input = encodeJson(args, `argument list of ${JSON.stringify(name)}`);
    // Already in the image: call the function directly.
    if (servedCall !== undefined) return fn(...(JSON.parse(input) as A));
    return (await makeCall({ name, input, programArguments: process.argv.slice(2), options: checked, site })) as R;
  };
  made.set(call, known);
  return call;
}

/**
 * Finds a function by its name or by the wrapper that {@link inImage} returned.
 *
 * @throws UserError if there is none
 */
export function imageFunction(wanted: string | Callable): ImageFunction {
  const found = typeof wanted === "string" ? functions.get(wanted) : made.get(wanted);
  if (found !== undefined) return found;
  const name = typeof wanted === "string" ? wanted : wanted.name || "anonymous";
  throw unknownFunction(
    name,
    functions,
    "Define it with inImage at the top of a module, and pass the returned function or its name.",
  );
}
