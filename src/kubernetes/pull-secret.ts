import { isFromLoopback } from "../containers/loopback.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import type { Credential } from "../credentials/credential.ts";
import { findCredential } from "../credentials/find.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { dockerHub } from "../oci/registry-host.ts";
import { findEmbeddedRegistry, requestToken } from "../registry-server/ensure.ts";
import type { Cluster } from "./cluster.ts";

/** Seconds. A pod may have to wait for a node before its image is pulled. */
const tokenLifetime = 60 * 60;

export interface PullAccess {
  /** The content of a pull secret. Undefined: none is needed, or none may be copied. */
  readonly dockerConfig?: string;
}

/** Refuses an image of a registry on this machine's loopback interface, unless the cluster's nodes share that. */
export function checkReach(image: string, { nodeLocal, context }: Pick<Cluster, "nodeLocal" | "context">): void {
  if (nodeLocal || !isFromLoopback(image)) return;
  throw new UserError(
    { code: "image-pull-failed", culprit: image },
    `Cluster ${context} cannot pull ${image}: ${parseReference(image).registry} is a loopback address of this machine.`,
    `Set SLIPWAY_REGISTRY to a registry that both can reach. If the cluster's nodes share this machine's network, add to ~/.config/slipway/config.yaml: \`kubernetes: {contexts: {${JSON.stringify(context)}: {nodeLocal: true}}}\`.`,
  );
}

/**
 * For the embedded registry a short-lived token for one repository, for others the user's credential if `copy` allows
 * it. A registry's token does not do: kubelets pass only a name and a password to the container runtime. ECR's password
 * is valid for 12 hours.
 *
 * @throws UserError if the embedded registry does not run, or a kubelet cannot use the credential
 */
export async function pullAccess(image: string, copy: boolean, env: Environment): Promise<PullAccess> {
  const reference = parseReference(image);
  const { registry, repository } = reference;
  const token = await embeddedAccess([image], env);
  if (token) return { dockerConfig: token.dockerConfig };
  if (!copy) return {};
  const { credential, source } = await findCredential({ registry, repository }, env);
  if (credential === undefined) return {};
  return { dockerConfig: dockerConfigOf(registry, credential, formatReference(reference), source) };
}

/**
 * Short-lived tokens for images in the embedded registry, with the time when the first expires.
 *
 * @returns undefined if no image is there, or that registry does not run
 */
export async function embeddedAccess(
  images: readonly string[],
  env: Environment,
): Promise<{ readonly dockerConfig: string; readonly expiresAt: string } | undefined> {
  const local = images.filter(isFromLoopback).map(parseReference);
  const embedded = local.length === 0 ? undefined : await findEmbeddedRegistry({ env });
  const repositories = new Set(
    local.filter(({ registry }) => registry === embedded?.host).map(({ repository }) => repository),
  );
  if (embedded === undefined || repositories.size === 0) return undefined;
  const tokens = await Promise.all(
    [...repositories].map(async (repository) => {
      const request = { repository, actions: ["pull"], ttlSeconds: tokenLifetime } as const;
      return { repository, ...(await requestToken(embedded.socketPath, request)) };
    }),
  );
  const auths = tokens.map(({ repository, token }) => authOf(`${embedded.host}/${repository}`, "token", token));
  const [expiresAt = ""] = tokens.map((token) => token.expiresAt).sort();
  return { dockerConfig: JSON.stringify({ auths: Object.fromEntries(auths) }), expiresAt };
}

/** The content of a pull secret with a copy of a credential. @throws UserError if a kubelet cannot use it */
export function dockerConfigOf(registry: string, credential: Credential, image: string, source = "its source"): string {
  if (credential.kind !== "password") {
    throw new UserError(
      { code: "credential-invalid", culprit: image },
      `The credential for ${image} from ${source} is a token (${credential.kind}), but nodes of Kubernetes need a name and password.`,
      "Log in to the registry with a name and password, such as those of a robot account that may only pull.",
    );
  }
  // Kubelets know Docker Hub by docker's old address.
  const key = registry === dockerHub ? "https://index.docker.io/v1/" : registry;
  return JSON.stringify({ auths: Object.fromEntries([authOf(key, credential.username, credential.password)]) });
}

/** @param key HOST or HOST/REPOSITORY */
function authOf(key: string, username: string, password: string): [string, object] {
  return [key, { username, password, auth: Buffer.from(`${username}:${password}`).toString("base64") }];
}
