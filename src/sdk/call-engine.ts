import { engineIn } from "../config/engine-kind.ts";
import { detectEngine, type EngineChoice } from "../containers/choose-engine.ts";
import { UserError } from "../core/errors.ts";
import { helperVariable } from "../functions/helper-variables.ts";
import { imageVariables } from "./images.ts";
import { served } from "./served.ts";

let choice: EngineChoice | undefined;
let isTold = false;

/** The engine of this program. Chosen once. */
export function chosenEngine(): EngineChoice {
  choice ??= Object.keys(imageVariables()).length > 0 ? detectEngine(process.env) : withoutImage();
  return choice;
}

function withoutImage(): EngineChoice {
  const wanted = engineIn(process.env);
  if (wanted === "container" || wanted === "kubernetes") {
    throw new UserError(
      { code: "engine-unavailable", culprit: `SLIPWAY_ENGINE=${wanted}` },
      `SLIPWAY_ENGINE=${wanted}: this program was started without an image.`,
      "Run the pipeline's own target instead of its _local target, or set SLIPWAY_CONTAINER_IMAGE.",
    );
  }
  return { kind: "process" };
}

/** Whether functions run in this process: inside the image, and in a program that its pipeline did not start. */
export function runsHere(): boolean {
  if (served !== undefined) return true;
  if (process.env[helperVariable] || chosenEngine().kind !== "process") return false;
  if (!isTold)
    process.stderr.write("slipway: functions run in this process, because its pipeline did not start this program\n");
  isTold = true;
  return true;
}
