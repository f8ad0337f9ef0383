// In the types of the package `slipway`, so it names no type of Node: a program is checked without those too.

/** What a container may reach: nothing, or this machine's network as it is. */
export type Network = "none" | "host";

/** Limits of one run. What is left out is not limited. */
export interface Resources {
  /** Bytes of memory. */
  readonly memory?: number;
  /** Processors, fractions allowed. */
  readonly cpus?: number;
  /** Whole graphics processors, the first ones of the machine. */
  readonly gpus?: number;
}
