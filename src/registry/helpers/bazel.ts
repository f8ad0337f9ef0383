import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import type { CredentialSearch, PasswordCredential } from "../../credentials/credential.ts";
import { findCredential } from "../../credentials/find.ts";
import { findPassword } from "../../credentials/find-remote.ts";
import { type HelperAnswer, type HelperCall, unknownAction } from "../../credentials/protocols/helper.ts";
import { readInput } from "../../credentials/protocols/input.ts";
import { parseServiceUrl } from "../../credentials/service-url.ts";
import { isRepository, normalizeRegistry } from "../../oci/reference.ts";
import { endpointOf } from "../client/endpoint.ts";
import { openRegistry } from "../client/open.ts";
import { Unreachable } from "../client/refusal.ts";
import type { Authorization } from "../client/session.ts";
import { registrySettings } from "../settings/settings.ts";

const program = "bazel-credential-slipway";

/**
 * Bazel's credential helper protocol: `get`, with `{"uri": …}` on stdin, header fields on stdout and until when they are good. Content of a
 * registry is answered from the sources for registries, with the token that the registry's token service gives for it where it has one;
 * everything else from those for downloads and git servers. Nothing known: no header fields.
 */
export async function bazelHelper({ args, stdin, env }: HelperCall): Promise<HelperAnswer> {
  if (args[0] !== "get") throw unknownAction(program, args[0], ["get"]);
  const url = readUri(await readInput(stdin));
  const { headers, expiresAt } = (await forRegistry(url, env)) ?? (await forDownload(url, env));
  const fields = Object.entries(headers).map(([name, value]) => [headerName(name), [value]]);
  // With a part of a second Bazel 7 cannot read it.
  const expires = expiresAt && { expires: expiresAt.toISOString().replace(/\.\d+Z$/, "Z") };
  return { stdout: `${JSON.stringify({ headers: Object.fromEntries(fields), ...expires })}\n` };
}

function readUri(text: string): URL {
  let uri: unknown;
  try {
    uri = JSON.parse(text)?.uri;
  } catch {
    // Said below.
  }
  if (typeof uri !== "string" || !URL.canParse(uri)) {
    throw new UserError(`${program} got no JSON with a uri.`, "Bazel runs this, with the uri on stdin.");
  }
  return new URL(uri);
}

/** Undefined: the URL is nothing of a registry's, or of one that wants nothing that is known. */
async function forRegistry(url: URL, env: Environment): Promise<Authorization | undefined> {
  const repository = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\/[^/]+$/.exec(url.pathname)?.[1];
  if (repository === undefined || !isRepository(repository)) return undefined;
  const registry = normalizeRegistry(url.host);
  const settings = await registrySettings(registry, env);
  // What is for a registry by TLS is not for whoever answers in its name without.
  if (endpointOf(registry, settings.plainHttp).base.origin !== url.origin) return undefined;
  const search = await findCredential({ registry, repository }, env);
  const client = openRegistry(registry, { settings, env, findCredential: async () => search });
  try {
    const authorization = await client.authorize(repository, url);
    return Object.keys(authorization.headers).length > 0 ? authorization : undefined;
  } catch (error) {
    const { credential, expiresAt } = search;
    // Where nobody is known, Bazel's own request tells what is wrong.
    if (credential === undefined) return undefined;
    // Bazel may have a way there that this process has not, or find the content in a cache.
    if (!(error instanceof Unreachable) || credential.kind !== "password") throw error;
    return { headers: { authorization: basic(credential) }, ...(expiresAt ? { expiresAt } : {}) };
  } finally {
    client.close();
  }
}

async function forDownload(url: URL, env: Environment): Promise<Authorization> {
  // A remote cache is asked for by grpcs:, which is TLS as https: is.
  const scheme = url.protocol === "http:" || url.protocol === "grpc:" ? "http" : "https";
  const asked = parseServiceUrl("http", `${scheme}://${url.host}${url.pathname}`);
  const { credential }: CredentialSearch = await findPassword(asked, ["http", "git"], env);
  if (credential?.kind !== "password") return { headers: {} };
  return { headers: { authorization: basic(credential) } };
}

function basic({ username, password }: PasswordCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function headerName(name: string): string {
  return name === "authorization" ? "Authorization" : name;
}
