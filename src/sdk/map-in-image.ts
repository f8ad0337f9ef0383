import { runsHere } from "./call-engine.ts";
import { callHere } from "./call-here.ts";
import type { CallOptions } from "./call-options.ts";
import { type Calls, finished, leftOut, startCalls } from "./calls.ts";
import { checkOptions, ofFunctions } from "./check-options.ts";
import { type ImageFunction, imageFunction, wrapped } from "./image-functions.ts";
import type { Json } from "./json.ts";
import { MapError } from "./map-error.ts";
import { callSite } from "./remote-error.ts";
import { step } from "./steps.ts";
import { encodeItem } from "./values.ts";

/** Options of {@link mapInImage}. Omitted options have the values that {@link inImage} was given. */
export interface MapInImageOptions extends CallOptions {
  /**
   * Maximum number of workers. Default: as many as fit this machine's CPUs and 80 % of its memory; 50 on Kubernetes.
   */
  readonly parallelism?: number;
  /** Return failures among the results, as `Promise.allSettled` does, instead of throwing. Default: false. */
  readonly settled?: boolean;
}

type FunctionOf<T, R> = string | ((item: T) => Promise<R>);
type Items<T> = readonly (T | PromiseLike<T>)[] | PromiseLike<readonly T[]>;

/**
 * Calls a function for every item, as {@link inImage} describes. On Kubernetes, all workers are one Job. Every item is
 * tried, even if others fail. Lines that the function prints stand after its name and the item: `[square 3] `. A
 * terminal shows the progress in one line; elsewhere a line every 10 s does.
 *
 * @param items the items, or promises of them. Each is the only argument of its call
 * @param fn the function that `inImage` returned, or its name
 * @param options as for `inImage`, and `parallelism` and `settled`
 * @returns the results in the order of the items. With `settled`, each is a `PromiseSettledResult`
 * @throws MapError if items failed, unless `settled` is true
 * @throws UserError if an option is unknown or invalid
 * @throws UserError or Failure if the engine does not work. All calls have ended by then
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function mapInImage<T extends Json, R extends Json | void = Json>(
  items: Items<T>,
  fn: FunctionOf<T, R>,
  options?: MapInImageOptions & { readonly settled?: false },
): Promise<R[]>;
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing has this type
export function mapInImage<T extends Json, R extends Json | void = Json>(
  items: Items<T>,
  fn: FunctionOf<T, R>,
  options: MapInImageOptions & { readonly settled: true },
): Promise<PromiseSettledResult<R>[]>;
export function mapInImage<T extends Json>(
  items: Items<T>,
  fn: FunctionOf<T, unknown>,
  options: MapInImageOptions = {},
): Promise<unknown[]> {
  const site = callSite(mapInImage);
  const name = typeof fn === "string" ? fn : (wrapped.get(fn)?.name ?? fn.name);
  const count = Array.isArray(items) ? { items: items.length } : {};
  return step({ name, takes: items, ...count }, async (given, known) => {
    const target = imageFunction(fn);
    const { settled = false, ...rest } = checkOptions("mapInImage", options, ...ofFunctions, "parallelism", "settled");
    const list = given as readonly T[];
    const calls = { name: target.name, options: { ...target.options, ...rest }, site, step: known };
    const results = runsHere() ? await mapHere(target, list) : await mapThere(calls, list);
    if (settled) return results;
    const failures = results.flatMap((each, index) =>
      each.status === "rejected" ? [{ index, error: each.reason }] : [],
    );
    if (failures.length > 0) throw new MapError(target.name, results.length, failures);
    return results.map((each) => (each as PromiseFulfilledResult<unknown>).value);
  });
}

async function mapThere(calls: Calls, list: readonly unknown[]): Promise<PromiseSettledResult<unknown>[]> {
  if (list.length === 0) return [];
  const results: PromiseSettledResult<unknown>[] = new Array(list.length);
  const late: Promise<void>[] = [];
  let count = 0;
  const batch = await startCalls(calls, list.length, (index, settled) => {
    count += 1;
    if (settled instanceof Promise) {
      const place = async () => {
        results[index] = await settled;
      };
      late.push(place());
    } else results[index] = settled;
  });
  const send = async () => {
    for (const [index, item] of list.entries()) {
      const encoded = encodeItem(item, index, calls.name);
      // Where nothing has to be waited for, 10,000 items are sent in one turn of the event loop.
      const room = batch.item(index, encoded instanceof Promise ? await encoded : encoded);
      if (room) await room;
    }
    batch.close();
  };
  const sending = send().catch(async (error: unknown) => {
    await batch.cancel();
    throw error;
  });
  sending.catch(() => {});
  await finished(batch);
  await sending;
  await Promise.all(late);
  if (count < list.length) throw leftOut(calls.name, list.length - count, list.length).reason;
  return results;
}

/** Runs the function in this process, one item after the other. */
async function mapHere(target: ImageFunction, list: readonly unknown[]): Promise<PromiseSettledResult<unknown>[]> {
  const results: PromiseSettledResult<unknown>[] = [];
  for (const [index, item] of list.entries()) {
    const input = await encodeItem(item, index, target.name);
    results.push(...(await Promise.allSettled([callHere(target, input)])));
  }
  return results;
}
