import { type ContainerUse, findContainerClient } from "../containers/client.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { hasCluster, kubeconfigFiles } from "../kubernetes/configured.ts";

/** The engines that run services. */
export const serviceEngines = ["kubernetes", "container"] as const;

export type ServiceEngine = (typeof serviceEngines)[number];

/** How errors speak of services on one machine: nothing else runs them there. */
export const serviceUse: ContainerUse = {
  asked: "The engine container",
  instead: "run services in Kubernetes with --engine kubernetes",
};

/** The default of {@link serviceEngine}, for people. */
export const defaultServiceEngine =
  "SLIPWAY_ENGINE, else kubernetes if you have a kubeconfig, else container if you have podman or docker";

/**
 * The engine that was asked for, else that of SLIPWAY_ENGINE, else Kubernetes where this user has a cluster, else containers where this machine has
 * them for this user. Where it has neither, or KUBECONFIG is set, it is Kubernetes, whose absence is an error that says what to do.
 *
 * @throws UserError for one that runs no services
 */
export function serviceEngine(asked: ServiceEngine | undefined, env: Environment): ServiceEngine {
  const wanted = asked ?? (env["SLIPWAY_ENGINE"] || undefined);
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
