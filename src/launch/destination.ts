import type { Environment } from "../core/environment.ts";
import { normalizeRegistry } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import { openRegistry } from "../registry/client/open.ts";
import { type PushedBlobs, pushedBlobsIn } from "../registry/client/pushed-blobs.ts";
import { embeddedHost, openConfigured } from "../registry/open-by-name.ts";
import { registryPaths, socketExists } from "../registry/server/paths.ts";
import type { LaunchRequest, RequestedImage } from "./request.ts";
import type { Runfiles } from "./runfiles.ts";

/** The embedded registry, as an image's destination. */
export const embedded = Symbol("the embedded registry");

/** Where an image goes: the name of a registry, or the embedded one, whose name is known once it runs. */
export type Destination = string | typeof embedded;

/** The target's own registry, else `SLIPWAY_REGISTRY`, else the build's, else the embedded one. */
export function destinationOf(image: RequestedImage, request: LaunchRequest, env: Environment): Destination {
  const registry = image.registry || env["SLIPWAY_REGISTRY"] || request.defaultRegistry;
  return registry ? normalizeRegistry(registry) : embedded;
}

/** An open registry and how image references call it. */
export interface OpenDestination {
  readonly client: RegistryClient;
  readonly host: string;
}

/** Where the embedded registry was last seen. */
export interface SeenRegistry {
  readonly socket: string;
  readonly host: string;
}

/** Opens the registries of a request, each once. */
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

  /** Where earlier launches put blobs. */
  pushedBlobs(): PushedBlobs {
    return pushedBlobsIn(this.#env);
  }

  /** A registry that is somewhere else, or the embedded one, started if need be. */
  async open(destination: Destination): Promise<OpenDestination> {
    if (destination === embedded) return this.#open.get(embedded) ?? this.startEmbedded();
    let open = this.#open.get(destination);
    if (!open) {
      open = openConfigured(destination, this.#env).then((client) => ({ client, host: destination }));
      this.#open.set(destination, open);
    }
    return open;
  }

  /**
   * The embedded registry where it was last seen, without a word to it: when nothing changed, one question about the image is then the
   * only one. It may have ended since, and be of another version, so before anything is pushed {@link startEmbedded} is due.
   */
  async lastSeenEmbedded(): Promise<SeenRegistry | undefined> {
    const paths = registryPaths(this.#env);
    const host = this.embeddedHost();
    return host !== undefined && (await socketExists(paths)) ? { socket: paths.socket, host } : undefined;
  }

  /** Opens it there, where it is asked once: nobody but us starts it. */
  openSeen({ socket, host }: SeenRegistry): OpenDestination {
    return this.#useEmbedded(socket, host, { firstContactBudget: 0 });
  }

  /** The embedded registry, running and speaking our version of the protocol. */
  async startEmbedded(): Promise<OpenDestination> {
    const { ensureEmbeddedRegistry } = await import("../registry/server/ensure.ts");
    const serverBundle = this.#runfiles.path(this.#request.registryServer);
    const { socketPath, host } = await ensureEmbeddedRegistry({ serverBundle, env: this.#env });
    return this.#useEmbedded(socketPath, host, {});
  }

  /** `localhost:PORT` of the embedded registry, running or not. Undefined: it never ran. */
  embeddedHost(): string | undefined {
    return embeddedHost(this.#env);
  }

  #useEmbedded(socketPath: string, host: string, retry: { firstContactBudget?: number }): OpenDestination {
    // Where it does not listen, waiting brings nothing: nobody but us starts it.
    const open = { client: openRegistry(host, { embedded: { socketPath }, retry: { attempts: 3, ...retry } }), host };
    this.#open.set(embedded, Promise.resolve(open));
    return open;
  }
}
