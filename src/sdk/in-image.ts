import { UserError } from "../core/errors.ts";
import { wholeProgram } from "../engine/protocol.ts";
import type { CallOptions } from "./call-options.ts";
import { makeCall } from "./calls.ts";
import { encodeJson, type Json } from "./json.ts";
import { servedCall } from "./serving.ts";

/** How a function of {@link inImage} runs. */
export type InImageOptions = CallOptions;

type Callable = (...args: never[]) => unknown;

/** A function that {@link inImage} made. */
export interface ImageFunction {
  readonly name: string;
  /** The function itself, to be called here. */
  readonly fn: Callable;
  readonly options: InImageOptions;
}

/** The program's functions by name. */
export const functions = new Map<string, ImageFunction>();
const made = new WeakMap<Callable, ImageFunction>();

/**
 * Makes `fn` a function that runs inside this program's image on the engine chosen ({@link engine}): a fresh container or pod per call,
 * read-only, which starts the same program, runs `fn` there and hands its result back. Where the program has no image, or no container engine is
 * there, it runs in a process of its own on this machine. Define functions at the top of a module, before `main` is called.
 *
 * @param name the function's name, unique in the program
 * @param fn takes and returns JSON; what it prints goes to standard error
 * @returns the function to call. It throws what `fn` throws, with the stack from there; UserError for arguments that are not JSON, a
 *   tag that was not built, or an engine that does not work
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function inImage<A extends Json[], R extends Json | void>(
  name: string,
  fn: (...args: A) => R | Promise<R>,
  options: InImageOptions = {},
): (...args: A) => Promise<R> {
  if (functions.has(name) || name === wholeProgram) {
    throw new UserError(`Two functions of this program are called ${JSON.stringify(name)}.`, "Give each its own name.");
  }
  const known: ImageFunction = { name, fn, options };
  functions.set(name, known);
  const call = async (...args: A) => {
    const input = encodeJson(args, `The list of arguments of ${JSON.stringify(name)}`);
    // Already in the image: one function calling another stays where it is.
    if (servedCall !== undefined) return fn(...(JSON.parse(input) as A));
    return (await makeCall({ name, input, programArguments: process.argv.slice(2), options })) as R;
  };
  made.set(call, known);
  return call;
}

/**
 * The function that a name stands for, or that {@link inImage} returned.
 *
 * @throws UserError when there is none
 */
export function imageFunction(wanted: string | Callable): ImageFunction {
  const found = typeof wanted === "string" ? functions.get(wanted) : made.get(wanted);
  if (found !== undefined) return found;
  const subject = typeof wanted === "string" ? JSON.stringify(wanted) : `The function ${wanted.name || "given"}`;
  throw new UserError(
    `${subject} is not a function of this program's image, which has ${[...functions.keys()].join(", ") || "none"}.`,
    "Define it with inImage at the top of a module, and give what that returns, or its name.",
  );
}
