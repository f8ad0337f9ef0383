import { describeEngine } from "../engine/calls/describe.ts";
import type { EngineDescription } from "../engine/kind.ts";
import { chosenEngine } from "./call-engine.ts";

/** Where functions of this program run. */
export type Engine = EngineDescription;

/**
 * The engine that runs this program's functions: the one that `SLIPWAY_ENGINE` names; else containers where podman or docker is set up,
 * and processes of this machine where they are not, and for a program that was started without an image.
 *
 * @throws UserError for an engine that is none, that this machine does not have, or that cannot do without an image
 */
export function engine(): Engine {
  return describeEngine(chosenEngine());
}
