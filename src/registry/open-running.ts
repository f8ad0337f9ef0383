import { readConfig } from "../config/config-file.ts";
import { UserError } from "../core/errors.ts";
import { runningRegistry } from "../registry-server/running.ts";
import type { RegistryClient } from "./client/client.ts";
import { openRegistry } from "./client/open.ts";
import { embeddedHost, openByName } from "./open-by-name.ts";

/** Starts the embedded registry if need be. @throws UserError if another program has its port */
export async function openRunning(registry: string): Promise<RegistryClient> {
  if (registry !== embeddedHost()) return openByName(registry);
  await readConfig();
  const { host, socketPath } = await runningRegistry();
  if (host === registry) return openRegistry(registry, { embedded: { socketPath } });
  throw new UserError(
    { code: "embedded-registry", culprit: registry },
    `${registry} was the embedded registry of this machine until another program took its port.`,
    `Write ${host}, its new name.`,
  );
}
