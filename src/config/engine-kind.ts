// Part of the public types of the package `slipway`, so it uses no Node types: programs may be checked without them.
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";

export type EngineKind = "process" | "container" | "kubernetes";

const kinds: readonly EngineKind[] = ["container", "kubernetes", "process"];

/** Undefined if the variable is empty or not set. @throws UserError if it names no engine */
export function engineIn(env: Environment): EngineKind | undefined {
  const name = env["SLIPWAY_ENGINE"];
  const found = kinds.find((kind) => kind === name);
  if (found || !name) return found;
  const meant = nearest(name, kinds);
  throw new UserError(
    { code: "variable-invalid", culprit: "SLIPWAY_ENGINE" },
    `SLIPWAY_ENGINE=${name} is not an engine${meant === undefined ? "" : ` (did you mean ${meant}?)`}.`,
    "Set SLIPWAY_ENGINE to container, kubernetes or process, or unset it.",
  );
}

export interface EngineDescription {
  readonly kind: EngineKind;
  /** A text for people, such as `containers of podman`. */
  readonly description: string;
}
