import { engineIn } from "../config/engine-kind.ts";
import { findContainerClient } from "../containers/client.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { hasCluster, kubeconfigFiles } from "../kubernetes/configured.ts";
import type { ServiceEngine } from "./engine.ts";

export const serviceEngines = ["kubernetes", "container"] as const;

export type EngineName = (typeof serviceEngines)[number];

/** For people. */
export const defaultServiceEngine =
  "SLIPWAY_ENGINE, else kubernetes if you have a kubeconfig, else container if you have podman or docker";

/**
 * The one asked for, else that of SLIPWAY_ENGINE, else Kubernetes if this user has a cluster, else containers. Without
 * any, or with KUBECONFIG set, Kubernetes, whose error says what to do.
 */
export function serviceEngine(asked: EngineName | undefined, env: Environment): EngineName {
  const wanted = asked ?? engineIn(env);
  if (wanted === undefined) {
    const isCluster = hasCluster(env) || kubeconfigFiles(env).named;
    return !isCluster && "client" in findContainerClient(env) ? "container" : "kubernetes";
  }
  const found = serviceEngines.find((engine) => engine === wanted);
  if (found) return found;
  throw new UserError(
    { code: "variable-invalid", culprit: "SLIPWAY_ENGINE" },
    `SLIPWAY_ENGINE=${wanted} cannot run services.`,
    "Set it to kubernetes or container, or choose one with --engine.",
  );
}

export async function openServiceEngine(asked: EngineName | undefined, env: Environment): Promise<ServiceEngine> {
  return serviceEngine(asked, env) === "container"
    ? (await import("./container/engine.ts")).containerServices(env)
    : (await import("./kubernetes/engine.ts")).clusterServices(env);
}
