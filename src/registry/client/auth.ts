import { UserError } from "../../core/errors.ts";
import { basicAuthorization, type CredentialSearch } from "../../credentials/credential.ts";
import type { Endpoint } from "../../oci/endpoint.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { ChallengeHints } from "./hints.ts";
import { type Identity, protocolError } from "./refusal.ts";
import { type Access, formatScope, mergeScopes } from "./scope.ts";
import { fetchToken, type SendToTokenService, type Token } from "./token-service.ts";

export type FindCredential = (repository: string | undefined) => Promise<CredentialSearch>;

export interface AuthenticatorOptions {
  readonly endpoint: Endpoint;
  readonly find: FindCredential;
  readonly send: SendToTokenService;
  /** A further host whose token service may get the registry's credential. */
  readonly tokenService?: string | undefined;
  readonly hints?: ChallengeHints | undefined;
}

/** Answers challenges: Basic (RFC 7617) or Bearer (the distribution project's). Only for the registry's own origin. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #endpoint: Endpoint;
  readonly #searches = new Map<string, Promise<CredentialSearch>>();
  readonly #tokens = new Map<string, Promise<Token>>();
  /** For redaction. */
  readonly #secrets = new Set<string>();
  #challenge: Challenge | undefined;
  #hint: Challenge | undefined;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#endpoint = options.endpoint;
    this.#hint = options.hints?.read(options.endpoint.base.origin);
  }

  /** The `Authorization`, if the challenge is known from this run or an earlier one. Renews a token soon to expire. */
  async header(access: readonly Access[]): Promise<string | undefined> {
    if (this.#challenge) return this.#answer(this.#challenge, access, undefined);
    if (!this.#hint) return undefined;
    try {
      return await this.#answer(this.#hint, access, undefined);
    } catch {
      // A hint may be outdated. Then the registry's new challenge counts.
      this.#hint = undefined;
      return undefined;
    }
  }

  /**
   * For the request after a 401; undefined if no credential is left.
   *
   * @throws UserError if the scheme is unknown, or the credential must not go to the registry's token service
   */
  async respond(
    wwwAuthenticate: string | undefined,
    access: readonly Access[],
    rejected: string | undefined,
  ): Promise<string | undefined> {
    const { registry } = this.#endpoint;
    if (this.holdsSecret(wwwAuthenticate ?? "")) {
      throw protocolError(
        registry,
        "echoes the secret in its challenge",
        "Replace that credential, and do not give this registry another one.",
      );
    }
    const challenges = parseChallenges(wwwAuthenticate ?? "");
    const challenge =
      challenges.find((each) => each.scheme === "bearer" && each.parameters["realm"]) ??
      challenges.find((each) => each.scheme === "basic");
    if (!challenge) {
      if (challenges.length === 0) return undefined;
      if (challenges.some((each) => each.scheme === "bearer")) {
        throw protocolError(
          registry,
          "asks for a token but names no token service (Bearer without a realm)",
          "Ask the registry's administrator to set its token realm.",
        );
      }
      throw new UserError(
        { code: "registry-login", culprit: registry },
        `Registry ${registry} asks for ${challenges.map((each) => each.scheme).join(", ")} authentication, which Slipway does not support.`,
        "Use a registry with Basic or Bearer authentication.",
      );
    }
    this.#challenge = challenge;
    this.#hint = undefined;
    const header = await this.#answer(challenge, access, rejected, challenge.parameters["scope"]);
    this.#options.hints?.write(this.#endpoint.base.origin, challenge);
    return header;
  }

  /** Header fields that the user's Docker configuration adds, once the registry has sent a challenge. */
  async extraHeaders(access: readonly Access[]): Promise<Readonly<Record<string, string>>> {
    if (!this.#challenge && !this.#hint) return {};
    return (await this.#search(access[0]?.repository)).headers ?? {};
  }

  get usesTokens(): boolean {
    return (this.#challenge ?? this.#hint)?.scheme === "bearer";
  }

  async identity(repository: string | undefined): Promise<Identity> {
    return this.#challenge || this.#hint ? this.#search(repository) : { searched: [], problems: [] };
  }

  /** The user that the registry sees. Empty: no authentication needed. Undefined: the token does not name its user. */
  async account(repository: string): Promise<string | undefined> {
    if (!this.#challenge && !this.#hint) return "";
    const { credential, headers } = await this.#search(repository);
    if (Object.keys(headers ?? {}).length > 0) return undefined;
    if (credential === undefined) return "";
    return credential.kind === "password" ? credential.username : undefined;
  }

  async expiry(access: readonly Access[]): Promise<Date | undefined> {
    const token = await this.#tokens.get(keyOf(access));
    return token ? new Date(token.staleAt) : (await this.#search(access[0]?.repository)).expiresAt;
  }

  /** Plain or encoded. */
  holdsSecret(text: string): boolean {
    return [...this.#secrets].some((secret) => text.includes(secret));
  }

  async #answer(
    challenge: Challenge,
    access: readonly Access[],
    rejected: string | undefined,
    challenged?: string,
  ): Promise<string | undefined> {
    const { credential } = await this.#search(access[0]?.repository);
    if (challenge.scheme === "basic") {
      const header = credential?.kind === "password" ? basicAuthorization(credential) : undefined;
      return header === rejected ? undefined : header;
    }
    if (credential?.kind === "registry-token") {
      const header = `Bearer ${credential.token}`;
      return header === rejected ? undefined : header;
    }
    const needed = access.map(formatScope);
    const key = keyOf(access);
    const cached = this.#tokens.get(key);
    if (cached) {
      const token = await cached.catch(() => undefined);
      if (token && Date.now() < token.staleAt && bearer(token) !== rejected) return bearer(token);
      // Only one of several requests fetches a new token.
      if (this.#tokens.get(key) !== cached) return this.#answer(challenge, access, rejected, challenged);
    }
    const scopes = mergeScopes(needed, challenged);
    const fetching = this.#fetchToken(challenge, scopes, access[0]?.repository);
    this.#tokens.set(key, fetching);
    fetching.catch(() => this.#tokens.get(key) === fetching && this.#tokens.delete(key));
    return bearer(await fetching);
  }

  async #fetchToken(challenge: Challenge, scopes: readonly string[], repository: string | undefined): Promise<Token> {
    const search = await this.#search(repository);
    const { endpoint, send, tokenService } = this.#options;
    const token = await fetchToken({ endpoint, challenge, scopes, search, send, tokenService });
    this.#secrets.add(token.value);
    return token;
  }

  #search(repository: string | undefined): Promise<CredentialSearch> {
    const key = repository ?? "";
    let search = this.#searches.get(key);
    if (!search) {
      search = this.#options.find(repository).then((found) => this.#remember(found));
      this.#searches.set(key, search);
    }
    return search;
  }

  #remember(search: CredentialSearch): CredentialSearch {
    const { credential, headers } = search;
    const own =
      credential?.kind === "password"
        ? [credential.password, basicAuthorization(credential).slice("Basic ".length)]
        : [credential?.token];
    const secrets = [...own, ...Object.values(headers ?? {})];
    for (const secret of secrets) if (secret) this.#secrets.add(secret).add(encodeURIComponent(secret));
    return search;
  }
}

function keyOf(access: readonly Access[]): string {
  return access.map(formatScope).join(" ");
}

function bearer(token: Token): string {
  return `Bearer ${token.value}`;
}
