import type { Credential, CredentialSearch } from "../../credentials/credential.ts";
import { UserError } from "../../oci/errors.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Endpoint } from "./endpoint.ts";
import { type Access, formatScope, mergeScopes } from "./scope.ts";
import { fetchToken, type SendToTokenService, type Token } from "./token-service.ts";

/** Who a registry takes us for, for errors. */
export interface Identity {
  /** Where the credential came from; undefined: nobody, since none was found. */
  readonly source?: string | undefined;
  readonly searched: readonly string[];
  readonly problems: readonly string[];
}

export type FindCredential = (repository: string | undefined) => Promise<CredentialSearch>;

/**
 * Answers a registry's challenges: Basic (RFC 7617) and Bearer (the distribution project's token authentication). What it gives is for
 * the registry's own origin alone; the caller sees to that.
 */
export class Authenticator {
  readonly #endpoint: Endpoint;
  readonly #find: FindCredential;
  readonly #send: SendToTokenService;
  readonly #searches = new Map<string, Promise<CredentialSearch>>();
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Challenge | undefined;

  constructor(endpoint: Endpoint, find: FindCredential, send: SendToTokenService) {
    this.#endpoint = endpoint;
    this.#find = find;
    this.#send = send;
  }

  /** The `Authorization` for a request, once the registry has said what it wants; a token that is about to expire is renewed. */
  async header(access: readonly Access[]): Promise<string | undefined> {
    return this.#challenge && this.#answer(this.#challenge, access, undefined);
  }

  /**
   * The `Authorization` with which to repeat a request that was answered with 401.
   *
   * @param rejected the `Authorization` which that request carried
   * @returns undefined when there is nothing better to offer
   * @throws UserError when the registry asks for a scheme that is unknown, or its token service for something it must not get
   */
  async respond(
    wwwAuthenticate: string | undefined,
    access: readonly Access[],
    rejected: string | undefined,
  ): Promise<string | undefined> {
    const challenges = parseChallenges(wwwAuthenticate ?? "");
    const challenge =
      challenges.find((each) => each.scheme === "bearer" && each.parameters["realm"]) ??
      challenges.find((each) => each.scheme === "basic");
    if (!challenge) {
      if (challenges.length === 0) return undefined;
      throw new UserError(
        `Registry ${this.#endpoint.registry} asks for ${challenges.map((each) => each.scheme).join(", ")} authentication, which is not known.`,
        "Use a registry, or a setting of it, with Basic or Bearer authentication.",
      );
    }
    this.#challenge = challenge;
    return this.#answer(challenge, access, rejected, challenge.parameters["scope"]);
  }

  /** Header fields that the user's configuration adds to requests to this registry, once it has asked who is there. */
  async extraHeaders(access: readonly Access[]): Promise<Readonly<Record<string, string>>> {
    if (!this.#challenge) return {};
    return (await this.#search(access[0]?.repository)).headers ?? {};
  }

  async identity(repository: string | undefined): Promise<Identity> {
    return this.#challenge ? this.#search(repository) : { searched: [], problems: [] };
  }

  async #answer(
    challenge: Challenge,
    access: readonly Access[],
    rejected: string | undefined,
    challenged?: string,
  ): Promise<string | undefined> {
    if (challenge.scheme === "basic") {
      const { credential } = await this.#search(access[0]?.repository);
      const header = credential?.kind === "password" ? basic(credential) : undefined;
      return header === rejected ? undefined : header;
    }
    const { credential } = await this.#search(access[0]?.repository);
    if (credential?.kind === "registry-token") {
      const header = `Bearer ${credential.token}`;
      return header === rejected ? undefined : header;
    }
    const needed = access.map(formatScope);
    const key = needed.join(" ");
    const cached = this.#tokens.get(key);
    if (cached) {
      const token = await cached.catch(() => undefined);
      if (token && Date.now() < token.staleAt && bearer(token) !== rejected) return bearer(token);
      // However many requests find a token used up, one of them fetches the next.
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
    return fetchToken({ endpoint: this.#endpoint, challenge, scopes, search, send: this.#send });
  }

  #search(repository: string | undefined): Promise<CredentialSearch> {
    const key = repository ?? "";
    let search = this.#searches.get(key);
    if (!search) {
      search = this.#find(repository);
      this.#searches.set(key, search);
    }
    return search;
  }
}

function bearer(token: Token): string {
  return `Bearer ${token.value}`;
}

function basic(credential: Extract<Credential, { kind: "password" }>): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString("base64")}`;
}
