import type { Bodies } from "../functions/frames.ts";
import type { ImageFunction } from "./image-functions.ts";
import { decodeArguments } from "./values.ts";

const states = new WeakMap<ImageFunction, unknown>();

/** Calls a function in this process. Its arguments are copies, as they are elsewhere. */
export async function callHere(known: ImageFunction, input: Bodies): Promise<unknown> {
  const args = await decodeArguments(input.map((body) => Buffer.from(body)));
  const fn = known.fn as (...args: unknown[]) => unknown;
  const { setup } = known.hooks;
  if (setup && !states.has(known)) states.set(known, setup());
  const state = setup ? [await states.get(known)] : [];
  if (known.options.batch === undefined) return fn(...state, ...args);
  return ((await fn(...state, args)) as readonly unknown[])[0];
}
