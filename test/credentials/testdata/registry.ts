import { join } from "node:path";
import { startDockerRegistry } from "../../registries/testdata/docker-registry.ts";
import type { Installed } from "./installed.ts";

/**
 * Of user `u`, whose line below is bcrypt: the one kind that Debian's registry takes. No other test has this password,
 * since the command
 * lines of everything that runs are searched for it.
 */
export const password = "geheim-nur-hier-5d1c";
export const htpasswd = "u:$2y$05$Mj6PlzH/O7eV6O6mV0HxbOtprbg5UhLTH3M.TmZ7oy2kOPkiKWG.S";

/** Debian's registry, for one user, until the test file ends. @returns its name */
export function startGuardedRegistry({ daemons, folder }: Installed): Promise<string> {
  return startDockerRegistry({ auth: { htpasswd }, daemons, folder: join(folder, "server") });
}
