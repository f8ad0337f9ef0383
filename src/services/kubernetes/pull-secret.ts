import { isFromLoopback } from "../../containers/loopback.ts";
import type { Environment } from "../../core/environment.ts";
import { findNamedRegistry } from "../../credentials/named.ts";
import { dockerConfigOf, embeddedAccess, pullAccess } from "../../kubernetes/pull-secret.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import type { Service } from "../model.ts";
import { expiryAnnotation, labelsOf, type Manifest } from "./manifest.ts";
import { pullSecretName, syncSecretName, tokenSecretName } from "./pod.ts";

export function mayCopy(env: Environment): boolean {
  return env["SLIPWAY_COPY_CREDENTIALS"] === "1";
}

/**
 * The secrets that pull a service's images: a copy of the credential that `containerRegistry` names, the
 * user's credential for the sync image if it may be copied, and short-lived tokens for the embedded
 * registry.
 *
 * @param images of its pods
 */
export async function pullSecrets(service: Service, images: readonly string[], env: Environment): Promise<Manifest[]> {
  const named = await namedSecret(service, env);
  const others = images.filter((image) => named === undefined || image !== service.image);
  const tokens = await embeddedAccess(others, env);
  const annotations = tokens && { [expiryAnnotation]: tokens.expiresAt };
  return [
    ...(named === undefined ? [] : [named]),
    ...(tokens ? [secretOf(service, tokenSecretName(service.name), tokens.dockerConfig, annotations)] : []),
    ...(await syncSecrets(service, images, env)),
  ];
}

async function syncSecrets(service: Service, images: readonly string[], env: Environment): Promise<Manifest[]> {
  const sync = images.find((image) => image !== service.image && !isFromLoopback(image));
  if (sync === undefined || !mayCopy(env)) return [];
  const { dockerConfig } = await pullAccess(sync, true, env);
  return dockerConfig === undefined ? [] : [secretOf(service, syncSecretName(service.name), dockerConfig)];
}

async function namedSecret(service: Service, env: Environment): Promise<Manifest | undefined> {
  const { name, containerRegistry } = service;
  if (containerRegistry === undefined) return undefined;
  const image = parseReference(service.image);
  const { registry, credential, source } = await findNamedRegistry(containerRegistry, image, env);
  return secretOf(service, pullSecretName(name), dockerConfigOf(registry, credential, formatReference(image), source));
}

function secretOf(
  service: Service,
  name: string,
  dockerConfig: string,
  annotations?: Readonly<Record<string, string>>,
): Manifest {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, labels: labelsOf(service.name), ...(annotations ? { annotations } : {}) },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(dockerConfig).toString("base64") },
  };
}
