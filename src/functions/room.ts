import { availableParallelism, totalmem } from "node:os";
import type { PlacedResources } from "../config/resources.ts";

/** Bytes of a worker that requests no memory. */
const usualMemory = 256 * 1024 * 1024;

/** One worker per processor, in up to 80 % of the memory. */
export function roomHere({ cpu = 1, memory = usualMemory }: PlacedResources): number {
  const byProcessors = Math.floor(availableParallelism() / cpu);
  const byMemory = Math.floor((0.8 * totalmem()) / memory);
  return Math.max(1, Math.min(byProcessors, byMemory));
}
