import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Daemons } from "./daemon.ts";

/**
 * Of user `u`, whose line below is bcrypt: the one kind that Debian's registry takes. No other test has this password, since the command
 * lines of everything that runs are searched for it.
 */
export const password = "geheim-nur-hier-5d1c";
export const htpasswd = "u:$2y$05$Mj6PlzH/O7eV6O6mV0HxbOtprbg5UhLTH3M.TmZ7oy2kOPkiKWG.S\n";

/**
 * Debian's registry, for one user.
 *
 * @param folder where it keeps its files; made here
 * @returns its name
 */
export async function startGuardedRegistry(daemons: Daemons, folder: string): Promise<string> {
  mkdirSync(folder);
  const path = join(folder, "htpasswd");
  writeFileSync(path, htpasswd);
  const config = join(folder, "config.yml");
  const settings = {
    version: "0.1",
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: "127.0.0.1:0" },
    auth: { htpasswd: { realm: "x", path } },
  };
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(settings));
  return `localhost:${await daemons.start("docker-registry", ["serve", config], /listening on 127\.0\.0\.1:(\d+)/)}`;
}
