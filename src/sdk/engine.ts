import type { EngineDescription } from "../config/engine-kind.ts";
import { describeEngine } from "../containers/choose-engine.ts";
import { chosenEngine } from "./call-engine.ts";

/** The engine that runs this program's functions. */
export type Engine = EngineDescription;

/**
 * Returns the engine that runs this program's functions: the one that `SLIPWAY_ENGINE` names, else containers if podman
 * or docker is set up, else processes on this machine. A program without an image always uses processes.
 *
 * @throws UserError if `SLIPWAY_ENGINE` is not the name of an engine, if this machine does not have that engine, or if
 *   it needs an image and the program has none
 */
export function engine(): Engine {
  return describeEngine(chosenEngine());
}
