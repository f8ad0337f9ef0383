import { existsSync, readFileSync } from "node:fs";
import { UserError } from "../oci/errors.ts";
import type { RegistryClient } from "./client/client.ts";
import { openRegistry } from "./client/open.ts";
import { registryPaths } from "./server/paths.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `localhost:PORT` of this user's embedded registry, running or not. Undefined: it never ran. */
export function embeddedHost(env: Environment = process.env): string | undefined {
  try {
    const port = readFileSync(registryPaths(env).port, "utf8");
    return /^\d{1,5}$/.test(port) ? `localhost:${port}` : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens a registry that an image reference names. The embedded one is spoken to over its socket, where nobody needs a token.
 *
 * @throws UserError when the name is none, or is that of the embedded registry, which does not run
 */
export function openByName(registry: string, env: Environment = process.env): RegistryClient {
  if (registry !== embeddedHost(env)) return openRegistry(registry);
  const { socket } = registryPaths(env);
  if (existsSync(socket)) return openRegistry(registry, { embedded: { socketPath: socket } });
  throw new UserError(
    `${registry} is the embedded registry of this machine, and it is not running.`,
    "Start it with `slipway registry serve`.",
  );
}
