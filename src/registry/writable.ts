import type { Environment } from "../core/environment.ts";
import { normalizeRegistry } from "../oci/reference.ts";
import type { RegistryClient } from "./client/client.ts";
import { openRegistry } from "./client/open.ts";
import { embeddedHost, openConfigured } from "./open-by-name.ts";
import type { EmbeddedRegistry } from "./server/ensure.ts";

export interface WritableOptions {
  /** Default: this process's. */
  readonly env?: Environment;
  /** Gives the embedded registry, started if need be. Asked for only where no other registry is set. */
  readonly embedded: () => Promise<EmbeddedRegistry>;
}

/** A registry and how image references call it. */
export interface WritableRegistry {
  readonly client: RegistryClient;
  readonly host: string;
  /** The repository there for what is called so: many registries give a user repositories below a name alone. */
  readonly place: (name: string) => string;
}

/** The repository, in the registry of jobs, for what is called so. */
export function placeIn(env: Environment, name: string): string {
  const prefix = (env["SLIPWAY_REPOSITORY_PREFIX"] ?? "").replace(/^\/+|\/+$/g, "");
  return env["SLIPWAY_REGISTRY"] && prefix !== "" ? `${prefix}/${name}` : name;
}

/** `host[:port]` of the registry of jobs. Undefined: it is the embedded one, which never ran. */
export function writableHost(env: Environment): string | undefined {
  const named = env["SLIPWAY_REGISTRY"];
  return named ? normalizeRegistry(named) : embeddedHost(env);
}

/**
 * Opens the registry of jobs, which what is made for them goes to and they are pulled from: `SLIPWAY_REGISTRY`, else this machine's embedded one,
 * as for the images of a pipeline. The registry that a job's interpreter comes from may be one that its user can only read. In a registry that was named,
 * repositories are below `SLIPWAY_REPOSITORY_PREFIX`.
 */
export async function openWritable({ env = process.env, embedded }: WritableOptions): Promise<WritableRegistry> {
  const named = env["SLIPWAY_REGISTRY"];
  if (named) {
    const host = normalizeRegistry(named);
    return { client: await openConfigured(host, env), host, place: (name) => placeIn(env, name) };
  }
  const { socketPath, host } = await embedded();
  return { client: openRegistry(host, { embedded: { socketPath } }), host, place: (name) => name };
}
