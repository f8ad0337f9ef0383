import { isFromLoopback } from "../../containers/loopback.ts";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { secretObjectName } from "../../secrets/cluster.ts";
import type { Service } from "../model.ts";
import { modelAccess, modelRegistry, modelSecret } from "../served-models.ts";
import { readServiceSettings } from "../settings.ts";
import { hasClaim } from "./claim.ts";
import { labelsOf, type Manifest } from "./manifest.ts";
import { mayCopy } from "./pull-secret.ts";

/** Checks that pods can fetch models: they cannot reach this machine's loopback interface. */
export async function checkModels(cluster: Cluster, env: Environment): Promise<void> {
  const { context, namespace } = cluster;
  const { host } = await modelRegistry(env);
  if (isFromLoopback(`${host}/models`)) {
    throw new UserError(
      { code: "registry-unreachable", culprit: host },
      `Pods of cluster ${context} cannot fetch models from ${host}, a loopback address of this machine.`,
      "Set SLIPWAY_REGISTRY to a registry that this machine and pods reach, and push the models there.",
    );
  }
  const { modelsClaim } = await readServiceSettings(env);
  if (modelsClaim === undefined || (await hasClaim(modelsClaim, cluster))) return;
  throw new UserError(
    { code: "field-invalid", culprit: "services.models.claim" },
    `\`services.models.claim\` of the configuration file names the volume claim ${modelsClaim}, which does not exist in namespace ${namespace} of cluster ${context}.`,
    `Create a PersistentVolumeClaim ${modelsClaim} there, ReadWriteMany if pods run on several nodes, or remove the setting: each pod then keeps its own models.`,
  );
}

/**
 * The Secret with the user's settings for the model registry and, with `SLIPWAY_COPY_CREDENTIALS=1`, the
 * user's credential.
 */
export async function modelSecrets(service: Service, env: Environment): Promise<Manifest[]> {
  if (service.models.length === 0) return [];
  const { secret, key } = modelSecret(service);
  const text = await modelAccess(service, env, mayCopy(env));
  return [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: secretObjectName(secret), labels: labelsOf(service.name) },
      type: "Opaque",
      data: { [key]: Buffer.from(text).toString("base64") },
    },
  ];
}
