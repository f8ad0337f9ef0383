import type { Environment } from "../../core/environment.ts";
import type { RegistrySettings } from "../settings/settings.ts";
import type { FindCredential } from "./auth.ts";
import { RegistryClient } from "./client.ts";
import { endpointOf } from "./endpoint.ts";
import type { ChallengeHints } from "./hints.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry.ts";
import { Session } from "./session.ts";

export interface ConnectOptions {
  /** The registry is this machine's embedded one, reached over its Unix socket, where nobody is asked who he is. */
  readonly embedded?: { readonly socketPath: string } | undefined;
  /** How it is reached. Default: by TLS that Node or this machine trusts, and by plain HTTP on loopback alone. */
  readonly settings?: RegistrySettings;
  /** Where what registries asked for before is kept. Default: nowhere. */
  readonly hints?: ChallengeHints;
  /** Where variables that name proxies are looked up. Default: the process's own. */
  readonly env?: Environment;
  readonly findCredential: FindCredential;
  readonly retry?: Partial<RetryPolicy>;
  /** Connections at a time. Default 8. */
  readonly connections?: number;
  /** Milliseconds. Default 10 s. */
  readonly connectTimeout?: number;
  /** Milliseconds without a byte in either direction. Default 2 min: registries read a large blob again before they answer. */
  readonly idleTimeout?: number;
  /** Milliseconds until a registry that was never heard must say something. Default 20 s. */
  readonly firstAnswerTimeout?: number;
}

/**
 * Opens a registry for who knows where credentials come from. Sends nothing yet.
 *
 * @param registry `host[:port]`
 * @throws UserError when that is no name of a registry
 */
export function connectRegistry(registry: string, options: ConnectOptions): RegistryClient {
  const { settings = {}, env = process.env } = options;
  return new RegistryClient(
    new Session({
      endpoint: endpointOf(registry, settings.plainHttp),
      findCredential: options.findCredential,
      retry: { ...defaultRetryPolicy, ...options.retry },
      socketPath: options.embedded?.socketPath,
      connections: options.connections ?? 8,
      connectTimeout: options.connectTimeout ?? 10_000,
      idleTimeout: options.idleTimeout ?? 120_000,
      firstAnswerTimeout: options.firstAnswerTimeout ?? 20_000,
      trust: settings,
      env,
      tokenService: settings.tokenService,
      hints: options.embedded ? undefined : options.hints,
    }),
  );
}
