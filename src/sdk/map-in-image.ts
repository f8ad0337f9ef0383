import type { CallOptions } from "./call-options.ts";
import { type Calls, makeCalls } from "./calls.ts";
import { checkOptions } from "./check-options.ts";
import { type ImageFunction, imageFunction, wrapped } from "./image-functions.ts";
import { encodeJson, type Json } from "./json.ts";
import { MapError } from "./map-error.ts";
import { MapProgress } from "./map-progress.ts";
import { callSite } from "./remote-error.ts";
import { servedCall } from "./serving.ts";
import { step } from "./steps.ts";
import { decodeArguments } from "./values.ts";

/** Options of {@link mapInImage}. Omitted options have the values that {@link inImage} was given. */
export interface MapInImageOptions extends CallOptions {
  /**
   * Maximum number of parallel calls. Default: as many as fit this machine's CPUs and 80 % of its memory; 50 on
   * Kubernetes.
   */
  readonly parallelism?: number;
  /** Return failures among the results, as `Promise.allSettled` does, instead of throwing. Default: false. */
  readonly settled?: boolean;
}

type FunctionOf<T, R> = string | ((item: T) => Promise<R>);
type Items<T> = readonly (T | PromiseLike<T>)[] | PromiseLike<readonly T[]>;

/**
 * Calls a function for every item, each in its own container as with {@link inImage}. On Kubernetes, all calls are one
 * Job. Every item is tried, even if others fail. Lines that the function prints stand after its name and the item:
 * `[square 3] `. A terminal shows the progress in one line; elsewhere a line every 10 s does.
 *
 * @param items the items, or promises of them. Each is JSON and is the only argument of its call
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
    const { settled = false, ...rest } = checkOptions(
      "mapInImage",
      options,
      "keep",
      "version",
      "parallelism",
      "settled",
    );
    const list = given as readonly T[];
    const inputs: string[] = [];
    for (const [index, item] of list.entries()) {
      inputs.push(await encodeJson([item], `item ${index} for ${JSON.stringify(target.name)}`));
    }
    const results =
      servedCall === undefined
        ? await mapThere(target, inputs, { options: { ...target.options, ...rest }, site, step: known })
        : await mapHere(target, inputs);
    if (settled) return results;
    const failures = results.flatMap((each, index) =>
      each.status === "rejected" ? [{ index, error: each.reason }] : [],
    );
    if (failures.length > 0) throw new MapError(target.name, results.length, failures);
    return results.map((each) => (each as PromiseFulfilledResult<unknown>).value);
  });
}

async function mapThere(
  { name }: ImageFunction,
  inputs: readonly string[],
  call: Pick<Calls, "options" | "site" | "step">,
): Promise<PromiseSettledResult<unknown>[]> {
  if (inputs.length === 0) return [];
  const results: PromiseSettledResult<unknown>[] = new Array(inputs.length);
  const progress = new MapProgress(name, inputs.length, process.stderr);
  try {
    await makeCalls({
      name,
      inputs,
      programArguments: process.argv.slice(2),
      ...call,
      labels: process.stderr.isTTY && !process.env["NO_COLOR"] ? "colored" : "plain",
      onSettled: (index, result) => {
        results[index] = result;
        progress.settled(result.status === "fulfilled");
      },
      onOutput: (data) => progress.print(data),
    });
  } finally {
    progress.finish();
  }
  return results;
}

/** Already in the image: runs the function in this process, one item after the other. */
async function mapHere({ fn }: ImageFunction, inputs: readonly string[]): Promise<PromiseSettledResult<unknown>[]> {
  const results: PromiseSettledResult<unknown>[] = [];
  for (const input of inputs) {
    const call = (async () => fn(...((await decodeArguments(input)) as never[])))();
    results.push(...(await Promise.allSettled([call])));
  }
  return results;
}
