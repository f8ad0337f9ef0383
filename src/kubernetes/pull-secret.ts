import { isFromLoopback } from "../containers/loopback.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import type { Credential } from "../credentials/credential.ts";
import { findCredential } from "../credentials/find.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { dockerHub } from "../oci/registry-host.ts";
import { findEmbeddedRegistry, requestToken } from "../registry-server/ensure.ts";
import type { Cluster } from "./cluster.ts";

/** Seconds that a token of the embedded registry lives: a pod may have to wait for a node before its image is pulled. */
const tokenLifetime = 60 * 60;

/** The credential with which nodes pull an image. */
export interface PullAccess {
  /** Content of a pull secret; undefined: none is needed, or none may be given. */
  readonly dockerConfig?: string;
}

/**
 * Refuses an image of a registry on this machine's loopback interface for a cluster whose nodes have one of their own.
 *
 * @throws UserError naming the settings
 */
export function checkReach(image: string, { nodeLocal, context }: Pick<Cluster, "nodeLocal" | "context">): void {
  if (nodeLocal || !isFromLoopback(image)) return;
  throw new UserError(
    { code: "image-pull-failed", culprit: image },
    `Cluster ${context} cannot pull ${image}: ${parseReference(image).registry} is a loopback address of this machine.`,
    `Set SLIPWAY_REGISTRY to a registry that both can reach. If the cluster's nodes share this machine's network, add to ~/.config/slipway/config.yaml: \`kubernetes: {contexts: {${JSON.stringify(context)}: {nodeLocal: true}}}\`.`,
  );
}

/**
 * The credential that a cluster's nodes get to pull an image: for the embedded registry a short-lived token for the one repository; for any other
 * registry nothing, unless the user asked for a copy of the credential.
 *
 * A copy is what the user's own credential is. Kubelets hand a name and a password to the container runtime and nothing else that a Docker
 * configuration can hold (no `registrytoken`, no `identitytoken`), so a token that a registry's token service gives cannot be used instead.
 * AWS gives a password for ECR that is valid for 12 hours.
 *
 * @param copy whether a credential of the user's may go into the cluster
 * @throws UserError when the embedded registry does not run, or the credential is of a kind that a kubelet cannot use
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
 * Short-lived tokens for the repositories of those images that are in the embedded registry.
 *
 * @returns the content of a pull secret, and until when all of it is good (ISO 8601); undefined where none is, or that registry does not run
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

/**
 * The content of a pull secret with a copy of a credential.
 *
 * @param image whose, for errors
 * @throws UserError when it is of a kind that a kubelet cannot use
 */
export function dockerConfigOf(registry: string, credential: Credential, image: string, source = "its source"): string {
  if (credential.kind !== "password") {
    throw new UserError(
      { code: "credential-invalid", culprit: image },
      `The credential for ${image} from ${source} is a token (${credential.kind}), but nodes of Kubernetes need a name and password.`,
      "Log in to the registry with a name and password, such as those of a robot account that may only pull.",
    );
  }
  // Kubelets know Docker Hub by the address that docker has always written.
  const key = registry === dockerHub ? "https://index.docker.io/v1/" : registry;
  return JSON.stringify({ auths: Object.fromEntries([authOf(key, credential.username, credential.password)]) });
}

/** @param key a registry, or a part of one as `HOST/REPOSITORY` */
function authOf(key: string, username: string, password: string): [string, object] {
  return [key, { username, password, auth: Buffer.from(`${username}:${password}`).toString("base64") }];
}
