import { availableParallelism, totalmem } from "node:os";
import type { PlacedResources } from "../config/resources.ts";

/** Bytes of a call that requests no memory. */
const usualMemory = 256 * 1024 * 1024;

/** One call per processor, in up to 80 % of the memory. */
export function roomHere({ cpu = 1, memory = usualMemory }: PlacedResources): number {
  const byProcessors = Math.floor(availableParallelism() / cpu);
  const byMemory = Math.floor((0.8 * totalmem()) / memory);
  return Math.max(1, Math.min(byProcessors, byMemory));
}

/** Starts no more after an error or abort. */
export async function pool(
  count: number,
  parallelism: number,
  work: (index: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const worker = async () => {
    while (next < count && errors.length === 0 && !signal.aborted) {
      const index = next;
      next += 1;
      await work(index).catch((error) => errors.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, parallelism) }, worker));
  if (errors.length > 0) throw errors[0];
}
