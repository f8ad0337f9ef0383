import type { RegistrySettings } from "../../config/settings.ts";
import type { Environment } from "../../core/environment.ts";
import { endpointOf } from "../../oci/endpoint.ts";
import type { FindCredential } from "./auth.ts";
import { RegistryClient } from "./client.ts";
import type { RegistryHints } from "./hints.ts";
import type { RetryPolicy } from "./retry.ts";
import { defaultRetryPolicy } from "./retry.ts";
import { Session } from "./session.ts";

export interface ConnectOptions {
  /** Listens on its Unix socket, without authentication. */
  readonly embedded?: { readonly socketPath: string } | undefined;
  /** Default: TLS with the authorities of Node and this machine, and plain HTTP only on loopback. */
  readonly settings?: RegistrySettings;
  /** Challenges and abilities seen in earlier runs. Default: none. */
  readonly hints?: RegistryHints;
  /** For proxies. Default: those of the process. */
  readonly env?: Environment;
  readonly findCredential: FindCredential;
  readonly retry?: Partial<RetryPolicy>;
  /** Default 8. */
  readonly connections?: number;
  /** Milliseconds. Default: 10 s. */
  readonly connectTimeout?: number;
  /** Milliseconds without a byte. Default 2 min: registries read a large blob again before they answer. */
  readonly idleTimeout?: number;
  /** Milliseconds. Default: 20 s. */
  readonly firstAnswerTimeout?: number;
  /** Milliseconds for an answer that is read into memory. Default: 2 min. */
  readonly answerTimeout?: number;
}

/** Sends nothing yet. @throws UserError if the name is not `host[:port]` */
export function connectRegistry(registry: string, options: ConnectOptions): RegistryClient {
  const { settings = {}, embedded, hints, ...given } = options;
  return new RegistryClient(
    new Session({
      env: process.env,
      connections: 8,
      connectTimeout: 10_000,
      idleTimeout: 120_000,
      firstAnswerTimeout: 20_000,
      answerTimeout: 120_000,
      ...given,
      endpoint: { ...endpointOf(registry, settings.plainHttp), isEmbedded: embedded !== undefined },
      retry: { ...defaultRetryPolicy, ...options.retry },
      socketPath: embedded?.socketPath,
      trust: settings,
      tokenService: settings.tokenService,
      hints: embedded ? undefined : hints,
    }),
  );
}
