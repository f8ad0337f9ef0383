// Part of the public types of the package `slipway`, so it uses no Node types: programs may be checked without them.

/** The engines, by their names in `SLIPWAY_ENGINE`. */
export type EngineKind = "process" | "container" | "kubernetes";

/** The engine, as a program sees it. */
export interface EngineDescription {
  readonly kind: EngineKind;
  /** A text for people, such as `containers of podman`. */
  readonly description: string;
}
