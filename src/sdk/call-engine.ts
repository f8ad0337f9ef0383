import { engineIn } from "../config/engine-kind.ts";
import type { JobResources, PlacedResources } from "../config/resources.ts";
import { detectEngine, type EngineChoice } from "../containers/choose-engine.ts";
import { UserError } from "../core/errors.ts";
import { type CallEngine, helperVariable } from "../functions/calls.ts";
import { allowedByHelper, HelperCalls, placeByHelper, pullByHelper } from "../functions/helper.ts";
import { ContainerCalls, ProcessCalls } from "../functions/local.ts";
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

/** Each question costs the start of a program. */
const placed = new Map<string, Promise<PlacedResources>>();

/**
 * Resources with the fields of their instance type. A process without a helper has nothing that they limit.
 *
 * @throws UserError for a type that is not known
 */
export async function placedResources(name: string, resources: JobResources = {}): Promise<PlacedResources> {
  const { instance_type: type, ...own } = resources;
  const isUnlimited = chosenEngine().kind === "process" && !process.env[helperVariable];
  if (type === undefined || isUnlimited) return own;
  const key = JSON.stringify([name, resources]);
  const names = { subject: JSON.stringify(name), path: "resources.instanceType" };
  const answer = placed.get(key) ?? placeByHelper(resources, names, process.env);
  placed.set(key, answer);
  return answer;
}

/** Makes calls on the chosen engine. @param keep whether results are kept, which only the helper can do */
export function callEngine(keep: boolean): CallEngine {
  const engine = chosenEngine();
  switch (engine.kind) {
    case "container":
      if (keep && process.env[helperVariable]) return new HelperCalls("container", process.env);
      return new ContainerCalls(engine.client, process.env, {
        pull: (image) => pullByHelper(image, process.env),
        allow: (image) => allowedByHelper(image, process.env),
      });
    case "kubernetes":
      return new HelperCalls("kubernetes", process.env);
    case "process":
      return new ProcessCalls();
  }
}
