import { UserError } from "../core/errors.ts";
import { wholeProgram } from "../core/protocol.ts";
import { runsHere } from "./call-engine.ts";
import { callHere } from "./call-here.ts";
import type { CallOptions } from "./call-options.ts";
import { makeCall, prepareCalls } from "./calls.ts";
import { checkOptions, ofFunctions } from "./check-options.ts";
import { functions, type ImageFunction, wrapped } from "./image-functions.ts";
import type { Json } from "./json.ts";
import { type MapInImageOptions, mapInImage } from "./map-in-image.ts";
import { callSite } from "./remote-error.ts";
import { type Input, step } from "./steps.ts";
import { type StreamOptions, streamCalls } from "./stream.ts";
import { encodeValue } from "./values.ts";

/** Options of {@link inImage}. */
export interface InImageOptions extends Omit<CallOptions, "batch"> {}

/** Options of {@link inImage} for a function that has a state. */
export interface StateOptions<S> extends CallOptions {
  /**
   * Runs once in each worker, before the first call there. The function gets what it returns as its first argument,
   * before those of the call.
   */
  readonly setup: () => S | Promise<S>;
  /** Runs once at the end of a worker, with what `setup` returned. It does not run if the worker is killed. */
  readonly teardown?: (state: S) => unknown;
}

/** Options of {@link inImage} for a function that takes lists of items. */
export interface BatchOptions extends CallOptions {
  readonly batch: NonNullable<CallOptions["batch"]>;
}

type Inputs<A extends Json[]> = { [K in keyof A]: Input<A[K]> };
type Items<T> = Iterable<T> | AsyncIterable<T>;

/** A function that runs in the image. */
export interface StepFunction<A extends Json[], R> {
  /**
   * Calls the function. Arguments may be promises, as those of other calls are: the call starts when their results are
   * there.
   */
  (...args: Inputs<A>): Promise<R>;
  /** Calls the function for every item, as {@link mapInImage} does. Items, or their list, may be promises. */
  map(items: Input<readonly A[0][]>, options?: MapInImageOptions & { readonly settled?: false }): Promise<R[]>;
  /**
   * Calls the function for every item of an iterable, even an endless one, and yields results as they come. It takes
   * no more items than it needs to keep the workers busy, so the memory stays flat. To leave the loop ends the calls.
   *
   * @throws the error of the first item that failed, in its place
   */
  stream(
    items: Items<A[0]>,
    options?: StreamOptions & { readonly settled?: false },
  ): AsyncGenerator<R, void, undefined>;
  stream(
    items: Items<A[0]>,
    options: StreamOptions & { readonly settled: true },
  ): AsyncGenerator<PromiseSettledResult<R>, void, undefined>;
}

/**
 * Wraps a function so that each call runs it inside this program's image, on the engine that {@link engine} returns.
 * Calls are served by workers: processes of the same program, in a container or pod with a read-only root file system,
 * that run one call after the other. If the program has no image, or there is no container engine, workers are
 * processes on this machine. Define functions at the top level of a module, before you call {@link main}.
 *
 * @param name the function's name, unique in the program
 * @param fn the function. Arguments and result are {@link Json} of at most 256 MiB each, with files and folders in it
 *   (`file`, `folder`). Its output goes to standard error
 * @param options image, environment variables, network, resource limits, and how workers are used
 * @returns the function to call. Its arguments may be promises, such as those of other calls. It rejects with
 *   `RemoteError` if `fn` throws (UserError and Failure arrive unchanged), with UserError if the arguments cannot be
 *   handed on or there is no image for the tag, and with UserError or Failure if the engine does not work
 * @throws UserError if the program already has a function of that name, or if an option is unknown or invalid
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function inImage<S, A extends Json[], R extends Json | void>(
  name: string,
  fn: (state: S, ...args: A) => R | Promise<R>,
  options: StateOptions<S> & { readonly batch?: never },
): StepFunction<A, R>;
export function inImage<T extends Json, R extends Json>(
  name: string,
  fn: (items: T[]) => readonly R[] | Promise<readonly R[]>,
  options: BatchOptions & { readonly setup?: never },
): StepFunction<[T], R>;
export function inImage<S, T extends Json, R extends Json>(
  name: string,
  fn: (state: S, items: T[]) => readonly R[] | Promise<readonly R[]>,
  options: StateOptions<S> & BatchOptions,
): StepFunction<[T], R>;
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function inImage<A extends Json[], R extends Json | void>(
  name: string,
  fn: (...args: A) => R | Promise<R>,
  options?: InImageOptions,
): StepFunction<A, R>;
export function inImage(
  name: string,
  fn: (...args: never[]) => unknown,
  { setup, teardown, ...options }: CallOptions & Partial<StateOptions<never>> = {},
): unknown {
  if (functions.has(name) || name === wholeProgram) {
    throw new UserError(
      { code: "function-failed", culprit: name },
      `Two functions of this program are called ${JSON.stringify(name)}.`,
      "Give each its own name.",
    );
  }
  const checked = checkOptions(JSON.stringify(name), options, ...ofFunctions);
  const hooks = { ...(setup ? { setup } : {}), ...(teardown ? { teardown } : {}) };
  const known: ImageFunction = { name, fn, options: checked, hooks };
  functions.set(name, known);
  const call = (...args: Json[]): Promise<unknown> => {
    const site = callSite(call);
    return step({ name, takes: args }, async (given, made) => {
      const isHere = runsHere();
      // The content of files goes to its folder.
      if (!isHere) await prepareCalls();
      const input = await encodeValue(given, `argument list of ${JSON.stringify(name)}`);
      if (isHere) return callHere(known, input);
      return makeCall({ name, options: checked, site, step: made }, input);
    });
  };
  const map = (items: readonly Json[], given?: MapInImageOptions & { readonly settled?: false }) =>
    mapInImage(items, call as never, given);
  const stream = (items: Items<Json>, given?: StreamOptions) => streamCalls(known, items, given);
  const whole = Object.assign(call, { map, stream });
  wrapped.set(whole, known);
  return whole;
}
