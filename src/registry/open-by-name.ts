import { existsSync, readFileSync } from "node:fs";
import { readConfig } from "../config/config-file.ts";
import { registrySettings } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import { registryPaths } from "../registry-server/paths.ts";
import type { FindCredential } from "./client/auth.ts";
import type { RegistryClient } from "./client/client.ts";
import { hintsIn } from "./client/hints.ts";
import { openRegistry } from "./client/open.ts";

/** `localhost:PORT`, running or not. Undefined: it never ran. */
export function embeddedHost(env: Environment = process.env): string | undefined {
  try {
    const port = readFileSync(registryPaths(env).port, "utf8");
    return /^\d{1,5}$/.test(port) ? `localhost:${port}` : undefined;
  } catch {
    return undefined;
  }
}

/** The embedded registry over its socket, without a token, any other one with the user's settings. */
export async function openByName(registry: string, env: Environment = process.env): Promise<RegistryClient> {
  if (registry !== embeddedHost(env)) return openConfigured(registry, env);
  // A mistake in the file is reported with every registry.
  await readConfig(env);
  const { socket } = registryPaths(env);
  if (existsSync(socket)) return openRegistry(registry, { embedded: { socketPath: socket } });
  throw new UserError(
    { code: "embedded-registry", culprit: registry },
    `${registry} is the embedded registry of this machine, but it is not running.`,
    "Start it with `slipway registry serve`.",
  );
}

export async function openConfigured(
  registry: string,
  env: Environment = process.env,
  findCredential?: FindCredential,
): Promise<RegistryClient> {
  const settings = await registrySettings(normalizeRegistry(registry), env);
  return openRegistry(registry, { settings, hints: hintsIn(env), env, ...(findCredential ? { findCredential } : {}) });
}
