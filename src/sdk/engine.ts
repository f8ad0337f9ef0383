import type { CallEngine, EngineKind } from "../engine/calls/calls.ts";
import { describeEngine } from "../engine/calls/describe.ts";
import { HelperCalls } from "../engine/calls/helper.ts";
import { ContainerCalls, ProcessCalls } from "../engine/calls/local.ts";
import { detectEngine, type EngineChoice } from "../engine/choose.ts";
import { UserError } from "../oci/errors.ts";
import { imageVariables } from "./images.ts";

/** Where functions of this program run. */
export interface Engine {
  readonly kind: EngineKind;
  /** For people: `containers of podman`, `processes of this machine`. */
  readonly description: string;
}

let choice: EngineChoice | undefined;

/** The engine of this program, chosen once. What it is not, and why, is said once too. */
function chosen(): EngineChoice {
  if (choice === undefined) {
    choice = Object.keys(imageVariables()).length > 0 ? detectEngine(process.env) : withoutImage();
    if (choice.kind === "process" && choice.remark !== undefined) process.stderr.write(`${choice.remark}\n`);
  }
  return choice;
}

function withoutImage(): EngineChoice {
  const wanted = process.env["SLIPWAY_ENGINE"];
  if (wanted === "container" || wanted === "kubernetes") {
    throw new UserError(
      `SLIPWAY_ENGINE=${wanted}: this program was started without an image.`,
      "Run the pipeline's own target rather than its _local one, or set SLIPWAY_CONTAINER_IMAGE.",
    );
  }
  return { kind: "process" };
}

/**
 * The engine that runs this program's functions: the one that `SLIPWAY_ENGINE` names; else containers where podman or docker is set up,
 * and processes of this machine where they are not, and for a program that was started without an image.
 *
 * @throws UserError for an engine that is none, that this machine does not have, or that cannot do without an image
 */
export function engine(): Engine {
  return describeEngine(chosen());
}

/** The engine itself. */
export function callEngine(): CallEngine {
  const engine = chosen();
  switch (engine.kind) {
    case "container":
      return new ContainerCalls(engine.client, process.env);
    case "kubernetes":
      return new HelperCalls("kubernetes", process.env);
    case "process":
      return new ProcessCalls();
  }
}
