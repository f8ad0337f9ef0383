import { detectEngine } from "../containers/choose-engine.ts";
import { pullWithAccess } from "../containers/pull.ts";
import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import type { CallEngine } from "./calls.ts";
import { ContainerCalls } from "./local.ts";

/** Opens the engine that SLIPWAY_ENGINE names. @returns makes an engine for each batch */
export async function openEngine(env: Environment, images: readonly string[] = []): Promise<() => CallEngine> {
  const choice = detectEngine(env);
  if (choice.kind === "container") {
    const access = {
      pull: (image: string) => pullWithAccess(choice.client, image, env),
      allow: (image: string) => runnableImage(image, env),
    };
    return () => new ContainerCalls(choice.client, env, access);
  }
  if (choice.kind === "kubernetes") {
    const { KubernetesCalls, Prepared } = await import("./kubernetes.ts");
    const prepared = new Prepared(env, images);
    return () => new KubernetesCalls(env, prepared);
  }
  throw new Failure(
    { code: "engine-unavailable", culprit: choice.kind },
    "The helper cannot run functions in processes.",
    "Build the pipeline's target again.",
  );
}
