import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { isFromLoopback } from "../../engine/container/loopback.ts";
import type { Cluster } from "../../engine/kubernetes/cluster.ts";
import type { Service } from "../model.ts";
import { modelAccess, modelRegistry, modelSecret } from "../models.ts";
import { secretObjectName } from "../secrets/cluster.ts";
import { readServiceSettings } from "../settings.ts";
import { hasClaim } from "./claim.ts";
import { labelsOf, type Manifest } from "./manifest.ts";
import { mayCopy } from "./pull-secret.ts";

/**
 * Whether models can come to pods of a cluster. They fetch them themselves, and have a loopback interface of their own, on whatever node they are.
 *
 * @throws UserError when the registry is on this machine's loopback interface, or the volume claim of the settings is not there
 */
export async function checkModels(cluster: Cluster, env: Environment): Promise<void> {
  const { context, namespace } = cluster;
  const { host } = modelRegistry(env);
  if (isFromLoopback(`${host}/models`)) {
    throw new UserError(
      `Pods of cluster ${context} cannot fetch models from ${host}: that is this machine's own loopback.`,
      "Set SLIPWAY_REGISTRY to a registry that this machine and pods reach, and push the models there.",
    );
  }
  const { modelsClaim } = await readServiceSettings(env);
  if (modelsClaim === undefined || (await hasClaim(modelsClaim, cluster))) return;
  throw new UserError(
    `\`services.models.claim\` of the configuration file names the volume claim ${modelsClaim}, and there is none in namespace ${namespace} of cluster ${context}.`,
    `Make a PersistentVolumeClaim ${modelsClaim} there, ReadWriteMany if pods run on several nodes, or take the setting away: each pod then has models for itself.`,
  );
}

/**
 * The secret by which a service's pods reach the registry of models: the user's settings for it and, with `SLIPWAY_COPY_CREDENTIALS=1`, the user's
 * credential.
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
