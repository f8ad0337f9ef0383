import { UserError } from "../core/errors.ts";
import type { CallEngine } from "../engine/calls/calls.ts";
import { HelperCalls, pullByHelper } from "../engine/calls/helper.ts";
import { ContainerCalls, ProcessCalls } from "../engine/calls/local.ts";
import { detectEngine, type EngineChoice } from "../engine/choose.ts";
import { imageVariables } from "./images.ts";

let choice: EngineChoice | undefined;

/** The engine of this program. Chosen once, so that a remark about the choice is printed only once. */
export function chosenEngine(): EngineChoice {
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
      { code: "engine-unavailable", culprit: `SLIPWAY_ENGINE=${wanted}` },
      `SLIPWAY_ENGINE=${wanted}: this program was started without an image.`,
      "Run the pipeline's own target instead of its _local target, or set SLIPWAY_CONTAINER_IMAGE.",
    );
  }
  return { kind: "process" };
}

/** Makes calls on the chosen engine. */
export function callEngine(): CallEngine {
  const engine = chosenEngine();
  switch (engine.kind) {
    case "container":
      return new ContainerCalls(engine.client, process.env, (image) => pullByHelper(image, process.env));
    case "kubernetes":
      return new HelperCalls("kubernetes", process.env);
    case "process":
      return new ProcessCalls();
  }
}
