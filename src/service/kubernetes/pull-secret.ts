import { findNamedRegistry } from "../../credentials/named.ts";
import { dockerConfigOf } from "../../engine/kubernetes/pull-secret.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import type { Service } from "../model.ts";
import { labelsOf, type Manifest } from "./manifest.ts";
import { pullSecretName } from "./pod.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The secret with which a service's image is pulled: a copy of the credential that `containerRegistry` names, and of no other.
 *
 * @throws UserError when there is none of that name, it is for another registry, cannot be read, or is of a kind that nodes cannot use
 */
export async function pullSecret(service: Service, env: Environment): Promise<Manifest | undefined> {
  const { name, containerRegistry } = service;
  if (containerRegistry === undefined) return undefined;
  const image = parseReference(service.image);
  const { registry, credential, source } = await findNamedRegistry(containerRegistry, image, env);
  const content = dockerConfigOf(registry, credential, formatReference(image), source);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: pullSecretName(name), labels: labelsOf(name) },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(content).toString("base64") },
  };
}
