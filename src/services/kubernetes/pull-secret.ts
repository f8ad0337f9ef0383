import { isFromLoopback } from "../../containers/loopback.ts";
import type { Environment } from "../../core/environment.ts";
import { findNamedRegistry } from "../../credentials/named.ts";
import { dockerConfigOf, embeddedAccess, pullAccess } from "../../kubernetes/pull-secret.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import type { Service } from "../model.ts";
import { expiryAnnotation, labelsOf, type Manifest } from "./manifest.ts";
import { pullSecretName, syncSecretName, tokenSecretName } from "./pod.ts";

/** Whether the user's credentials for what Slipway adds to services may be copied into the cluster. */
export function mayCopy(env: Environment): boolean {
  return env["SLIPWAY_COPY_CREDENTIALS"] === "1";
}

/**
 * The secrets with which the images of a service's pods are pulled: a copy of the credential that `containerRegistry` names; for the image that brings
 * content one of the user's, where that may be; for images in the embedded registry short-lived tokens.
 *
 * @param images of its pods
 * @throws UserError when there is no credential of that name, it is for another registry, cannot be read, or is of a kind that nodes cannot use
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
