import { detectEngine } from "../containers/choose-engine.ts";
import type { Environment } from "../core/environment.ts";
import type { WorkerEngine } from "./worker.ts";

/**
 * Connects to the cluster at once if that is the engine, so that it is there when the first call comes.
 *
 * @param images that are going to be used
 */
export function openPods(env: Environment, images: readonly string[]): () => Promise<WorkerEngine> {
  const open = async () => {
    const { PodWorkers } = await import("./pod-workers.ts");
    return new PodWorkers(env, images);
  };
  let opened: Promise<WorkerEngine> | undefined;
  try {
    if (images.length > 0 && detectEngine(env).kind === "kubernetes") opened = open();
    opened?.catch(() => {});
  } catch {
    // The first call reports it.
  }
  return () => {
    opened ??= open();
    return opened;
  };
}
