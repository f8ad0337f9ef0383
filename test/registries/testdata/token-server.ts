import { randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "../../../src/registry/client/testdata/listen.ts";
import { selfSigned } from "./certificates.ts";

/** What the server was asked. */
export interface TokenRequest {
  readonly method: string;
  readonly scopes: readonly string[];
  readonly by: "nobody" | "password" | "identity token";
}

export interface TokenServer {
  /** What docker-registry's configuration says under `auth.token`. */
  readonly registryConfig: Readonly<Record<string, string>>;
  readonly realm: string;
  /** Settings of the registry that trust it: it is another server of this machine. */
  readonly settings: { readonly tokenService: string };
  readonly asked: TokenRequest[];
  /** How all its tokens begin, and nothing else does. */
  readonly tokenStart: string;
  /** Seconds that tokens are good from now on. Default 300. */
  lifetime: number;
}

export const identityToken = "geheimes-identity-token";

/**
 * A token server by the distribution project's "Token Authentication Specification" and its OAuth2 form: JWTs (RS256)
 * that docker-registry
 * checks. User `u` with the password, or whoever has {@link identityToken}, may do everything; nobody may do nothing.
 */
export async function startTokenServer(password = "geheim"): Promise<TokenServer> {
  const pair = selfSigned();
  const asked: TokenRequest[] = [];
  const issuer = "test issuer";
  const service = "test registry";
  const key = readFileSync(pair.key);
  const x5c = [new X509Certificate(readFileSync(pair.certificate)).raw.toString("base64")];

  // The certificate's serial number, which no other server has, is in the first of its characters.
  const head = Buffer.from(JSON.stringify({ typ: "JWT", alg: "RS256", x5c })).toString("base64url");

  function token(scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const access = scopes.map((scope) => {
      const [type, name, actions = ""] = scope.split(":");
      return { type, name, actions: actions.split(",") };
    });
    const times = { iat: now, nbf: now - 1, exp: now + server.lifetime };
    const claims = { iss: issuer, sub: "u", aud: service, jti: randomUUID(), access, ...times };
    const parts = [head, Buffer.from(JSON.stringify(claims)).toString("base64url")];
    return `${parts.join(".")}.${sign("sha256", Buffer.from(parts.join(".")), key).toString("base64url")}`;
  }

  async function answer(request: IncomingMessage): Promise<{ status: number; body: object }> {
    const query = new URL(request.url ?? "", "http://x").searchParams;
    const form = request.method === "POST" ? new URLSearchParams(await text(request)) : undefined;
    const scopes = form ? (form.get("scope") ?? "").split(" ") : query.getAll("scope").flatMap((scope) => scope.split(" "));
    const basic = `Basic ${Buffer.from(`u:${password}`).toString("base64")}`;
    const { authorization } = request.headers;
    const by = form ? "identity token" : authorization === undefined ? "nobody" : "password";
    asked.push({ method: request.method ?? "", scopes, by });
    const right = form
      ? form.get("grant_type") === "refresh_token" && form.get("refresh_token") === identityToken
      : authorization === basic;
    if (by !== "nobody" && !right) return { status: 401, body: { errors: [{ code: "UNAUTHORIZED" }] } };
    if ((form ?? query).get("service") !== service) return { status: 400, body: {} };
    const value = token(by === "nobody" ? [] : scopes);
    // One name each, as servers have it.
    return { status: 200, body: { ...(form ? { access_token: value } : { token: value }), expires_in: server.lifetime } };
  }

  const listener = createServer((request, response) => {
    answer(request).then(({ status, body }) => response.writeHead(status).end(JSON.stringify(body)));
  });
  const tokenService = `localhost:${await listen(listener)}`;
  const realm = `http://${tokenService}/auth`;
  const server: TokenServer = {
    registryConfig: { realm, service, issuer, rootcertbundle: pair.certificate },
    realm,
    settings: { tokenService },
    asked,
    tokenStart: head.slice(0, 120),
    lifetime: 300,
  };
  return server;
}
