// Part of the public types of the package `slipway`, so it uses no Node types.

export interface JobResources {
  /** Processors, fractions allowed. */
  readonly cpu?: number;
  /** Bytes. */
  readonly memory?: number;
  /** Whole graphics processors. */
  readonly gpu?: number;
}
