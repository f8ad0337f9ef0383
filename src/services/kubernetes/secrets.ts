import { isFromLoopback } from "../../containers/loopback.ts";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { secretIn } from "../../core/secret-reference.ts";
import { findNamedRegistry } from "../../credentials/named.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { ifFound } from "../../kubernetes/if-found.ts";
import { dockerConfigOf, embeddedAccess, pullAccess } from "../../kubernetes/pull-secret.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import { secretObjectName } from "../../secrets/cluster.ts";
import { secretKey } from "../../secrets/secrets.ts";
import type { SecretKey } from "../../secrets/variables.ts";
import type { Service } from "../model.ts";
import type { ServiceDocument } from "../read.ts";
import { modelAccess, modelRegistry, modelSecret } from "../served-models.ts";
import { readServiceSettings } from "../settings.ts";
import { expiryAnnotation, type Manifest, manifestFor } from "./manifest.ts";

export function mayCopy(env: Environment): boolean {
  return env["SLIPWAY_COPY_CREDENTIALS"] === "1";
}

/**
 * The credential that `containerRegistry` names, the user's for the sync image if it may be copied, and short-lived
 * tokens for the embedded registry.
 */
export async function pullSecrets(service: Service, images: readonly string[], env: Environment): Promise<Manifest[]> {
  const named = await namedSecret(service, env);
  const others = images.filter((image) => named === undefined || image !== service.image);
  const tokens = await embeddedAccess(others, env);
  return [
    ...(named === undefined ? [] : [named]),
    ...(tokens
      ? [dockerConfigSecret(service, tokenSecretName(service.name), tokens.dockerConfig, tokens.expiresAt)]
      : []),
    ...(await syncSecrets(service, images, env)),
  ];
}

async function syncSecrets(service: Service, images: readonly string[], env: Environment): Promise<Manifest[]> {
  const sync = images.find((image) => image !== service.image && !isFromLoopback(image));
  if (sync === undefined || !mayCopy(env)) return [];
  const { dockerConfig } = await pullAccess(sync, true, env);
  return dockerConfig === undefined ? [] : [dockerConfigSecret(service, syncSecretName(service.name), dockerConfig)];
}

async function namedSecret(service: Service, env: Environment): Promise<Manifest | undefined> {
  const { name, containerRegistry } = service;
  if (containerRegistry === undefined) return undefined;
  const image = parseReference(service.image);
  const { registry, credential, source } = await findNamedRegistry(containerRegistry, image, env);
  return dockerConfigSecret(
    service,
    pullSecretName(name),
    dockerConfigOf(registry, credential, formatReference(image), source),
  );
}

function secretOf(
  { name: service }: Service,
  name: string,
  type: string,
  data: Readonly<Record<string, string | Uint8Array>>,
  annotations?: Readonly<Record<string, string>>,
): Manifest {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value as string).toString("base64")]);
  return manifestFor("Secret", service, { type, data: Object.fromEntries(encoded) }, name, annotations);
}

function dockerConfigSecret(service: Service, name: string, text: string, expiresAt?: string): Manifest {
  const annotations = expiresAt === undefined ? undefined : { [expiryAnnotation]: expiresAt };
  return secretOf(service, name, "kubernetes.io/dockerconfigjson", { ".dockerconfigjson": text }, annotations);
}

export const pullSecretName = (service: string): string => `${service}-pull`;
export const syncSecretName = (service: string): string => `${service}-sync`;
export const tokenSecretName = (service: string): string => `${service}-token`;

/** Variables from Secrets, and an annotation that replaces the pods when those change. */
export interface SecretVariables {
  readonly env: readonly object[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** Secrets that were not looked up are those of `slipway secret`. */
export function secretVariables(service: Service): SecretVariables {
  const { env, secrets = {} } = service;
  const variables = env.flatMap(({ name, value }) => {
    const secret = secretIn(value);
    return secret === undefined ? [] : [{ name, valueFrom: { secretKeyRef: keyOf(service, name, secret) } }];
  });
  const versions = Object.entries(secrets).flatMap(([name, each]) =>
    "reference" in each ? [[name, each.version] as const] : [],
  );
  return {
    env: variables,
    annotations:
      versions.length === 0
        ? {}
        : { "slipway/secrets": Buffer.from(canonicalJson(Object.fromEntries(versions))).toString() },
  };
}

function keyOf(service: Service, variable: string, secret: string): SecretKey {
  const found = service.secrets?.[variable];
  if (found === undefined) return { name: secretObjectName(secret), key: secretKey };
  return "reference" in found ? found.reference : { name: copyName(service), key: variable };
}

/** The Secret with values from this machine. It belongs to the service and is deleted with it. */
export function secretCopy(service: Service): Manifest | undefined {
  const values = Object.entries(service.secrets ?? {}).flatMap(([name, each]) =>
    "value" in each ? [[name, each.value] as const] : [],
  );
  if (values.length === 0) return undefined;
  return { ...secretOf(service, copyName(service), "Opaque", Object.fromEntries(values)), immutable: true };
}

/** Has a hash of the versions, not of the values: old pods keep theirs. */
function copyName({ name, env, secrets = {} }: Service): string {
  const copied = env.filter((variable) => "value" in (secrets[variable.name] ?? {}));
  const versions = copied.map((variable) => [variable.name, variable.value, secrets[variable.name]?.version]);
  const [, hash = ""] = sha256(Buffer.from(canonicalJson(versions))).split(":");
  return `${name}-secrets-${hash.slice(0, 10)}`;
}

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

/** The user's settings for the model registry and, with `SLIPWAY_COPY_CREDENTIALS=1`, the credential. */
export async function modelSecrets(service: Service, env: Environment): Promise<Manifest[]> {
  if (service.models.length === 0) return [];
  const { secret, key } = modelSecret(service);
  const text = await modelAccess(service, env, mayCopy(env));
  return [secretOf(service, secretObjectName(secret), "Opaque", { [key]: text })];
}

/** Only its owner knows the size and class of a volume claim, so Slipway creates none. */
export async function requireDataset({ service: { repositories }, error }: ServiceDocument, cluster: Cluster) {
  if (repositories === undefined) return;
  const { dataset } = repositories;
  if (await hasClaim(dataset, cluster)) return;
  throw error([
    {
      path: ["repositories", "dataset"],
      problem: `names the volume claim ${dataset}, which does not exist in namespace ${cluster.namespace} of cluster ${cluster.context}`,
      remedy: `Create a PersistentVolumeClaim ${dataset} there, ReadWriteMany if pods run on several nodes, or name an existing one.`,
    },
  ]);
}

export async function hasClaim(name: string, { api, namespace }: Cluster): Promise<boolean> {
  const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`;
  return (await ifFound(api.ask<object>("GET", path))) !== undefined;
}
