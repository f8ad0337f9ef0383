import { readConfig } from "../config/config-file.ts";
import { placesIn } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { openRegistry } from "../registry/client/open.ts";
import { type PushedBlobs, pushedBlobsIn } from "../registry/client/pushed-blobs.ts";
import { embeddedHost, openConfigured } from "../registry/open-by-name.ts";
import { registryPaths, socketExists } from "../registry-server/paths.ts";
import type { LaunchRequest, RequestedImage } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

export const embedded = Symbol("the embedded registry");

/** The name of the embedded registry is only known while it runs. */
export type Destination = string | typeof embedded;

/** The target's own registry, else `SLIPWAY_REGISTRY`, else the build's, else the embedded one. */
export function destinationOf(image: RequestedImage, request: LaunchRequest, env: Environment): Destination {
  const registry = image.registry || env["SLIPWAY_REGISTRY"] || request.defaultRegistry;
  return registry ? normalizeRegistry(registry) : embedded;
}

/** Many registries give a user only repositories below a prefix. */
export async function repositoryIn(destination: Destination, name: string, env: Environment): Promise<string> {
  if (destination !== embedded) return (await placesIn(destination, env))(name);
  // It needs no setting, but a mistake in the file is reported with every registry.
  await readConfig(env);
  return name;
}

export interface OpenDestination {
  readonly client: RegistryClient;
  readonly host: string;
}

interface SeenRegistry {
  readonly socket: string;
  readonly host: string;
}

export class Destinations {
  readonly #request: LaunchRequest;
  readonly #runfiles: Runfiles;
  readonly #env: Environment;
  readonly #open = new Map<Destination, Promise<OpenDestination>>();

  constructor(request: LaunchRequest, runfiles: Runfiles, env: Environment) {
    this.#request = request;
    this.#runfiles = runfiles;
    this.#env = env;
  }

  pushedBlobs(): PushedBlobs {
    return pushedBlobsIn(this.#env);
  }

  /** Starts an embedded registry that has never run, since its port is part of its name. */
  async hostOf(destination: Destination): Promise<string> {
    if (destination !== embedded) return destination;
    return this.embeddedHost() ?? (await this.startEmbedded()).host;
  }

  /** Starts nothing. */
  knownHost(destination: Destination): string {
    return destination === embedded ? (this.embeddedHost() ?? "localhost") : destination;
  }

  async open(destination: Destination): Promise<OpenDestination> {
    if (destination === embedded) return this.#open.get(embedded) ?? this.startEmbedded();
    const open =
      this.#open.get(destination) ??
      openConfigured(destination, this.#env).then((client) => ({ client, host: destination }));
    this.#open.set(destination, open);
    return open;
  }

  /** Contacts nothing, to save a request. It may have stopped: call {@link startEmbedded} before a push. */
  async lastSeenEmbedded(): Promise<SeenRegistry | undefined> {
    const paths = registryPaths(this.#env);
    const host = this.embeddedHost();
    return host !== undefined && (await socketExists(paths)) ? { socket: paths.socket, host } : undefined;
  }

  /** Opens it there, without retries: nobody else would start it. */
  openSeen({ socket, host }: SeenRegistry): OpenDestination {
    return this.#useEmbedded(socket, host, { firstContactBudget: 0 });
  }

  /** Also replaces one that uses another version of the protocol. */
  async startEmbedded(): Promise<OpenDestination> {
    const { ensureEmbeddedRegistry } = await import("../registry-server/ensure.ts");
    const serverBundle = this.#runfiles.path(this.#request.registryServer);
    const { socketPath, host } = await ensureEmbeddedRegistry({ serverBundle, env: this.#env });
    return this.#useEmbedded(socketPath, host, {});
  }

  /** `localhost:PORT` of the embedded registry, running or not. Undefined: it has never run. */
  embeddedHost(): string | undefined {
    return embeddedHost(this.#env);
  }

  #useEmbedded(socketPath: string, host: string, retry: { firstContactBudget?: number }): OpenDestination {
    // If it does not listen, waiting is useless: nobody else would start it.
    const open = { client: openRegistry(host, { embedded: { socketPath }, retry: { attempts: 3, ...retry } }), host };
    this.#open.set(embedded, Promise.resolve(open));
    return open;
  }
}
