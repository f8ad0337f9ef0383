import type { CallOptions } from "./call-options.ts";
import type { CheckedOptions } from "./check-options.ts";
import { unknownFunction } from "./served.ts";

export type Callable = (...args: never[]) => unknown;

/** A worker calls each once, before its first call and after its last one. */
export interface Hooks {
  readonly setup?: () => unknown;
  readonly teardown?: (state: never) => unknown;
}

/** A function that was defined with `inImage`. */
export interface ImageFunction {
  readonly name: string;
  /** The original function, which runs in this process. */
  readonly fn: Callable;
  readonly options: CheckedOptions<CallOptions>;
  readonly hooks: Hooks;
}

/** The program's functions by name. */
export const functions = new Map<string, ImageFunction>();
/** Those functions by what `inImage` returned. */
export const wrapped = new WeakMap<Callable, ImageFunction>();

/**
 * Finds a function by its name or by the wrapper that `inImage` returned.
 *
 * @throws UserError if there is none
 */
export function imageFunction(wanted: string | Callable): ImageFunction {
  const found = typeof wanted === "string" ? functions.get(wanted) : wrapped.get(wanted);
  if (found !== undefined) return found;
  const name = typeof wanted === "string" ? wanted : wanted.name || "anonymous";
  throw unknownFunction(
    name,
    functions,
    "Define it with inImage at the top of a module, and pass the returned function or its name.",
  );
}
