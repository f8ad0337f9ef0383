import { findCredential } from "../../credentials/find.ts";
import { endpointOf } from "../../oci/endpoint.ts";
import type { FindCredential } from "./auth.ts";
import type { RegistryClient } from "./client.ts";
import { type ConnectOptions, connectRegistry } from "./connect.ts";

export interface OpenOptions extends Omit<ConnectOptions, "findCredential"> {
  /** Default: the files that `docker login` and `podman login` write. */
  readonly findCredential?: FindCredential;
}

/** Sends nothing yet. @throws UserError if the name is not `host[:port]` */
export function openRegistry(registry: string, options: OpenOptions = {}): RegistryClient {
  const { settings = {}, env = process.env } = options;
  const named = endpointOf(registry, settings.plainHttp).registry;
  return connectRegistry(registry, {
    ...options,
    findCredential: options.findCredential ?? ((repository) => findCredential({ registry: named, repository }, env)),
  });
}
