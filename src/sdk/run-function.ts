import { detectEngine, type EngineChoice } from "../engine/choose.ts";
import { embeddedLogin } from "../engine/container/login.ts";
import { runContainer } from "../engine/container/run.ts";
import type { ContainerRun, Run } from "../engine/engine.ts";
import { runProcess } from "../engine/process/run.ts";
import { UserError } from "../oci/errors.ts";

/** How a run ended, and where it was, for people: `a container of IMAGE`. */
export interface Ran {
  readonly status: number;
  readonly where: string;
}

let choice: EngineChoice | undefined;

/** The engine of this program, chosen once. What it is not, and why, is said once too. */
function engine(): EngineChoice {
  if (choice === undefined) {
    choice = detectEngine(process.env);
    if (choice.kind === "process" && choice.remark !== undefined) process.stderr.write(`${choice.remark}\n`);
  }
  return choice;
}

/**
 * Runs this program once more on the engine chosen, or in a process where it has no image.
 *
 * @param image undefined when the program was started without one
 * @throws UserError when containers were asked for and there is no image
 */
export async function runOnEngine(image: string | undefined, run: Omit<ContainerRun, "image">): Promise<Ran> {
  if (image === undefined) return runWithoutImage(run);
  const chosen = engine();
  if (chosen.kind === "process") return inProcess(run);
  if (chosen.kind === "kubernetes") {
    throw new UserError(
      "SLIPWAY_ENGINE=kubernetes: this version runs functions of programs on this machine only.",
      "Set SLIPWAY_ENGINE to container or process, or unset it.",
    );
  }
  const login = await embeddedLogin(image);
  const status = await runContainer(chosen.client, { ...run, image }, login === undefined ? {} : { login });
  return { status, where: `a container of ${image}` };
}

async function runWithoutImage(run: Run): Promise<Ran> {
  if (process.env["SLIPWAY_ENGINE"] === "container") {
    throw new UserError(
      "SLIPWAY_ENGINE=container: this program was started without an image.",
      "Run the pipeline's own target rather than its _local one, or set SLIPWAY_CONTAINER_IMAGE.",
    );
  }
  return inProcess(run);
}

async function inProcess(run: Run): Promise<Ran> {
  return { status: await runProcess(run), where: "a process of this machine" };
}
