import { readConfig } from "../config/config-file.ts";
import { placesIn } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import type { EmbeddedRegistry } from "../registry-server/ensure.ts";
import type { RegistryClient } from "./client/client.ts";
import { openRegistry } from "./client/open.ts";
import { embeddedHost, openConfigured } from "./open-by-name.ts";

export interface WritableOptions {
  /** Default: this process's. */
  readonly env?: Environment;
  /** Finds or starts the embedded registry. Only called if no other registry is set. */
  readonly embedded: () => Promise<EmbeddedRegistry>;
}

/** A registry and its name in image references. */
export interface WritableRegistry {
  readonly client: RegistryClient;
  readonly host: string;
  /** The repository for a name. Many registries give a user only repositories below a prefix. */
  readonly place: (name: string) => string;
}

/** `host[:port]` of the registry of jobs. Undefined: the embedded one, which never ran. */
export function writableHost(env: Environment): string | undefined {
  const named = env["SLIPWAY_REGISTRY"];
  return named ? normalizeRegistry(named) : embeddedHost(env);
}

/**
 * Opens the registry of jobs: `SLIPWAY_REGISTRY`, else the embedded one. Images for jobs are pushed there and pulled from there, since the
 * user may only have read access to the registry of the job's interpreter. Repositories are below the registry's prefix.
 */
export async function openWritable({ env = process.env, embedded }: WritableOptions): Promise<WritableRegistry> {
  const named = env["SLIPWAY_REGISTRY"];
  if (named) {
    const host = normalizeRegistry(named);
    return { client: await openConfigured(host, env), host, place: await placesIn(host, env) };
  }
  await readConfig(env);
  const { socketPath, host } = await embedded();
  return { client: openRegistry(host, { embedded: { socketPath } }), host, place: (name) => name };
}
