import { detectEngine } from "../containers/choose-engine.ts";
import { embeddedLogin } from "../containers/login.ts";
import { pullWithAccess } from "../containers/pull.ts";
import { runContainer } from "../containers/run.ts";
import type { ContainerRun } from "../containers/run-description.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { writeTo } from "../core/flow.ts";
import { untilInterrupted } from "../core/until-interrupted.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { kubernetesEngine } from "./engines.ts";
import { describeJob, exitStatusOfJob, followJob } from "./follow-job.ts";

export interface ImageProgram {
  /** Its target, for people and for the names of pods. */
  readonly target: string;
  readonly image: string;
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const tell = (text: string) => void process.stderr.write(`slipway: ${text}\n`);

/**
 * Runs a program as `podman run -it` does, or as a pod whose log it prints.
 *
 * @returns the program's exit status
 */
export async function runImage(program: ImageProgram, argv: readonly string[], env: Environment): Promise<number> {
  const choice = detectEngine(env);
  const { target } = program;
  if (choice.kind === "process") {
    throw new UserError(
      { code: "engine-unavailable", culprit: target },
      `${target} runs in its image, and this machine has no engine for that.`,
      "Install podman, or set SLIPWAY_ENGINE=kubernetes.",
    );
  }
  const image = await runnableImage(program.image, env);
  if (choice.kind === "kubernetes") return runPod({ ...program, image }, argv);
  const { client } = choice;
  const login = await embeddedLogin(image);
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const run: ContainerRun = {
    ...{ image, programArguments: argv, env: program.env, network: "host", resources: {}, onStdout: () => {} },
    attached: { isTerminal, options: program.options },
  };
  const pull = (name: string) => pullWithAccess(client, name, env);
  return runContainer(client, run, { env, pull, ...(login && { login }) });
}

async function runPod(
  { target, image, options, env }: ImageProgram & { readonly image: RunnableImage },
  argv: readonly string[],
): Promise<number> {
  if (options.length > 0) tell("`run_options` are for podman and docker: a pod does not get them");
  const engine = await kubernetesEngine(tell);
  const name = target.replace(/^.*[/:]/, "");
  const id = await engine.submit({
    ...{ name, image, argv, env, mounts: [], stdin: "", isFunction: false, resources: {}, network: "host", retries: 0 },
  });
  // Of an interrupt.
  let status = 130;
  try {
    await untilInterrupted(async (signal) => {
      const print = async (stream: "stdout" | "stderr", data: Buffer) => writeTo(process[stream], data);
      const { status: ended } = await followJob(engine, id, { signal, print });
      if (ended.reason !== undefined) tell(describeJob(ended));
      status = exitStatusOfJob(ended);
    }, "its pod is deleted");
  } finally {
    await engine.cancel(id);
    await engine.remove(id);
  }
  return status;
}
