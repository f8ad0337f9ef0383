import { setTimeout as delay } from "node:timers/promises";
import { registrySettings } from "../config/settings.ts";
import { isFromLoopback } from "../containers/loopback.ts";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { findCredential } from "../credentials/find.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { parseReference } from "../oci/reference.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import { embeddedHost, openConfigured } from "../registry/open-by-name.ts";
import { findEmbeddedRegistry, requestToken } from "../registry-server/ensure.ts";
import type { GivenAccess } from "./pod-access.ts";

/** Seconds. */
const tokenLifetime = 60 * 60;
/** Milliseconds for a registry. Calls without files do not need it. */
const patience = 5000;

type Settings = Pick<Cluster, "context" | "podRegistry" | "filesCredential">;

/**
 * Access to the image's repository, for files of functions: a short-lived token, or a Secret that the user has named.
 * Never the user's own credential. Most calls need none, so a failure is a reason and no error.
 */
export async function givenAccess(image: string, settings: Settings, env: Environment): Promise<GivenAccess> {
  const over = new AbortController();
  const late = delay(patience, without("did not answer in time", "Check the registry."), { signal: over.signal });
  late.catch(() => {});
  return Promise.race([ask(image, settings, env).catch(explained), late]).finally(() => over.abort());
}

async function ask(image: string, settings: Settings, env: Environment): Promise<GivenAccess> {
  const { context, podRegistry, filesCredential } = settings;
  const { registry, repository } = parseReference(image);
  if (isFromLoopback(image) && podRegistry === undefined) {
    return without(
      `${registry} is a loopback address, at which pods of cluster ${context} do not reach it`,
      `Set SLIPWAY_REGISTRY to a registry that pods reach, or \`kubernetes: {contexts: {${JSON.stringify(context)}: {podRegistry: "http://HOST:PORT"}}}\` in ~/.config/slipway/config.yaml.`,
    );
  }
  const at = (base: URL | string) => ({
    url: new URL(`/v2/${repository}/`, base).href,
    ...(podRegistry === undefined ? {} : { host: registry }),
  });
  const credential = filesCredential === undefined ? {} : { credential: filesCredential };
  if (registry === embeddedHost(env)) {
    const embedded = await findEmbeddedRegistry({ env });
    if (embedded === undefined) return without(`${registry} does not run`, "Start it with `slipway registry serve`.");
    const request = { repository, actions: ["pull", "push"], ttlSeconds: tokenLifetime } as const;
    const { token, expiresAt } = await requestToken(embedded.socketPath, request);
    return { content: { ...at(podRegistry ?? ""), authorization: `Bearer ${token}`, expires: expiresAt } };
  }
  const { authorities } = await registrySettings(normalizeRegistry(registry), env);
  const ca = authorities === undefined ? {} : { ca: authorities };
  // A new client gets a new token.
  const client = await openConfigured(registry, env);
  try {
    const place = { ...at(podRegistry ?? client.address), ...ca };
    if (filesCredential !== undefined) return { content: place, ...credential };
    const { headers, expiresAt } = await client.authorizePush(repository);
    const { authorization, ...others } = headers;
    if (authorization === undefined && Object.keys(others).length === 0) return { content: place };
    const own = (await findCredential({ registry, repository }, env)).credential?.kind === "registry-token";
    if (!authorization?.startsWith("Bearer ") || own || Object.keys(others).length > 0) {
      return without(
        `${registry} gives no token for one repository, and your own credential does not go into a cluster by itself`,
        `Make a Secret of type kubernetes.io/basic-auth in the namespace, and name it: \`kubernetes: {contexts: {${JSON.stringify(context)}: {filesCredential: NAME}}}\` in ~/.config/slipway/config.yaml.`,
      );
    }
    const expires = (expiresAt ?? new Date()).toISOString();
    return { content: { ...place, authorization, expires } };
  } finally {
    client.close();
  }
}

function explained(error: unknown): GivenAccess {
  if (!(error instanceof UserError || error instanceof Failure)) throw error;
  return { content: { problem: error.problem, remedy: error.remedy } };
}

function without(problem: string, remedy: string): GivenAccess {
  const words = `Files, folders and values above 8 MiB cannot be handed on: ${problem}.`;
  return { content: { problem: words, remedy } };
}
