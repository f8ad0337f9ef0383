import { basicAuthorization, type CredentialSearch } from "../../credentials/credential.ts";
import type { Endpoint } from "../../oci/endpoint.ts";
import type { Challenge } from "./challenge.ts";
import type { HttpRequest } from "./http.ts";
import { checkedRealm } from "./realm.ts";
import { AccessRefused, askedAs, loginRemedy, protocolError } from "./refusal.ts";

export interface Token {
  readonly value: string;
  /** Milliseconds since the epoch, some time before the token expires. */
  readonly staleAt: number;
}

/** With retries, without authentication. */
export type SendToTokenService = (request: HttpRequest) => Promise<{ status: number; text: string }>;

export interface TokenRequest {
  readonly endpoint: Endpoint;
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  readonly search: CredentialSearch;
  readonly send: SendToTokenService;
  readonly tokenService?: string | undefined;
}

/** Seconds, by the token specification. */
const defaultLifetime = 60;

/** Seconds before the expiry, at most half of the lifetime. */
const margin = 10;

/** "Docker Registry v2 authentication": a password as Basic, an identity token by OAuth2's refresh grant, or none. */
export async function fetchToken(request: TokenRequest): Promise<Token> {
  const { endpoint, challenge, search } = request;
  const realm = await checkedRealm(challenge.parameters["realm"] ?? "", {
    endpoint,
    tokenService: request.tokenService,
    secret: search.credential !== undefined,
  });
  const { status, text } = await request.send(tokenHttpRequest(realm, request));
  if (status === 401 || status === 403 || status === 400) {
    throw new AccessRefused(
      endpoint.registry,
      `The token service ${realm.host} of registry ${endpoint.registry} answered ${status} for ${request.scopes.join(" ")}${askedAs(search)}`,
      loginRemedy(endpoint.registry, search),
    );
  }
  if (status !== 200) {
    throw protocolError(
      endpoint.registry,
      `names the token service ${realm.host}, which answered ${status}`,
      "Try again later; if the error stays, look into the token service's log.",
    );
  }
  return readToken(text, realm, endpoint);
}

function tokenHttpRequest(realm: URL, { challenge, scopes, search }: TokenRequest): HttpRequest {
  const { credential } = search;
  const service = challenge.parameters["service"];
  if (credential?.kind === "identity-token") {
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      client_id: "slipway",
      ...(service === undefined ? {} : { service }),
      scope: scopes.join(" "),
      refresh_token: credential.token,
    });
    const bytes = Buffer.from(form.toString());
    return {
      method: "POST",
      url: realm,
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: { length: bytes.length, open: () => bytes },
    };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (credential?.kind !== "password") return { method: "GET", url };
  url.searchParams.set("account", credential.username);
  return { method: "GET", url, headers: { authorization: basicAuthorization(credential) } };
}

function readToken(text: string, realm: URL, endpoint: Endpoint): Token {
  const refuse = (problem: string): never => {
    throw protocolError(
      endpoint.registry,
      `names the token service ${realm.host}, which ${problem}`,
      "Ask the registry's administrator to correct its token realm.",
    );
  };
  let answer: Record<string, unknown> | null;
  try {
    answer = JSON.parse(text);
  } catch {
    return refuse("did not answer with JSON");
  }
  const value = answer?.["token"] || answer?.["access_token"];
  // Node's error for an invalid header value would quote the token.
  if (typeof value !== "string" || !/^[\x21-\x7e]+$/.test(value)) return refuse("answered without a usable token");
  const said = Number(answer?.["expires_in"]);
  const lifetime = Number.isFinite(said) && said > 0 ? said : defaultLifetime;
  return { value, staleAt: Date.now() + (lifetime - Math.min(margin, lifetime / 2)) * 1000 };
}
