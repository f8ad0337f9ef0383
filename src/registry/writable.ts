import { readConfig } from "../config/config-file.ts";
import { placesIn } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import type { EmbeddedRegistry } from "../registry-server/ensure.ts";
import type { RegistryClient } from "./client/client.ts";
import { openRegistry } from "./client/open.ts";
import { embeddedHost, openConfigured } from "./open-by-name.ts";

export interface WritableOptions {
  readonly env?: Environment;
  /** Finds or starts it. Only called if no other registry is set. */
  readonly embedded: () => Promise<EmbeddedRegistry>;
}

export interface WritableRegistry {
  readonly client: RegistryClient;
  readonly host: string;
  /** Many registries give a user only repositories below a prefix. */
  readonly place: (name: string) => string;
}

/** `host[:port]`. Undefined: the embedded one, which never ran. */
export function writableHost(env: Environment): string | undefined {
  const named = env["SLIPWAY_REGISTRY"];
  return named ? normalizeRegistry(named) : embeddedHost(env);
}

/** `SLIPWAY_REGISTRY`, else the embedded one: the user may only read the registry of the job's image. */
export async function openWritable({
  env = process.env,
  embedded,
}: WritableOptions): Promise<WritableRegistry & Disposable> {
  const named = env["SLIPWAY_REGISTRY"];
  if (named) {
    const host = normalizeRegistry(named);
    return writable(await openConfigured(host, env), host, await placesIn(host, env));
  }
  await readConfig(env);
  const { socketPath, host } = await embedded();
  return writable(openRegistry(host, { embedded: { socketPath } }), host, (name) => name);
}

function writable(
  client: RegistryClient,
  host: string,
  place: WritableRegistry["place"],
): WritableRegistry & Disposable {
  return { client, host, place, [Symbol.dispose]: () => client.close() };
}
