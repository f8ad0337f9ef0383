// In the types of the package `slipway`, so it names no type of Node: a program is checked without those too.

/** The engines, by the names that SLIPWAY_ENGINE has for them. */
export type EngineKind = "process" | "container" | "kubernetes";

/** What a program learns of the engine that was chosen. */
export interface EngineDescription {
  readonly kind: EngineKind;
  /** For people: `containers of podman`. */
  readonly description: string;
}
