import { registrySettings } from "../../config/settings.ts";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { basicAuthorization, type CredentialSearch } from "../../credentials/credential.ts";
import { findCredential } from "../../credentials/find.ts";
import { findPassword } from "../../credentials/find-remote.ts";
import { type HelperAnswer, type HelperCall, readInput, unknownAction } from "../../credentials/protocols/helper.ts";
import { parseServiceUrl } from "../../credentials/service-url.ts";
import { endpointOf } from "../../oci/endpoint.ts";
import { isRepository } from "../../oci/reference.ts";
import { normalizeRegistry } from "../../oci/registry-host.ts";
import { openRegistry } from "../client/open.ts";
import { Unreachable } from "../client/refusal.ts";
import type { Authorization } from "../client/session.ts";

const program = "bazel-credential-slipway";

/**
 * `get`, with `{"uri": …}` on stdin. A registry's credential goes through its token service; other URLs use the sources
 * for downloads and git servers.
 */
export async function bazelHelper({ args, stdin, env }: HelperCall): Promise<HelperAnswer> {
  if (args[0] !== "get") throw unknownAction(program, args[0], ["get"]);
  const url = readUri(await readInput(stdin));
  const { headers, expiresAt } = (await forRegistry(url, env)) ?? (await forDownload(url, env));
  const fields = Object.entries(headers).map(([name, value]) => [
    name === "authorization" ? "Authorization" : name,
    [value],
  ]);
  // Bazel 7 cannot read fractions of a second.
  const expires = expiresAt && { expires: expiresAt.toISOString().replace(/\.\d+Z$/, "Z") };
  return { stdout: `${JSON.stringify({ headers: Object.fromEntries(fields), ...expires })}\n` };
}

function readUri(text: string): URL {
  let uri: unknown;
  try {
    uri = JSON.parse(text)?.uri;
  } catch {
    // Reported below.
  }
  if (typeof uri !== "string" || !URL.canParse(uri)) {
    throw new UserError(
      { code: "started-by-hand", culprit: program },
      `${program} got no JSON with a uri.`,
      "Let Bazel run it, which writes the uri to stdin.",
    );
  }
  return new URL(uri);
}

/** Undefined: no registry's URL, or no credential is needed. */
async function forRegistry(url: URL, env: Environment): Promise<Authorization | undefined> {
  const repository = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\/[^/]+$/.exec(url.pathname)?.[1];
  if (repository === undefined || !isRepository(repository)) return undefined;
  const registry = normalizeRegistry(url.host);
  const settings = await registrySettings(registry, env);
  if (endpointOf(registry, settings.plainHttp).base.origin !== url.origin) return undefined;
  const search = await findCredential({ registry, repository }, env);
  using client = openRegistry(registry, { settings, env, findCredential: async () => search });
  try {
    const authorization = await client.authorize(repository, url);
    return Object.keys(authorization.headers).length > 0 ? authorization : undefined;
  } catch (error) {
    const { credential, expiresAt } = search;
    // Bazel's own request reports the problem.
    if (credential === undefined) return undefined;
    // Bazel may reach the registry in another way, or find the content in a cache.
    if (!(error instanceof Unreachable) || credential.kind !== "password") throw error;
    return { headers: { authorization: basicAuthorization(credential) }, ...(expiresAt ? { expiresAt } : {}) };
  }
}

async function forDownload(url: URL, env: Environment): Promise<Authorization> {
  const scheme = url.protocol === "http:" || url.protocol === "grpc:" ? "http" : "https";
  const asked = parseServiceUrl("http", `${scheme}://${url.host}${url.pathname}`);
  const { credential }: CredentialSearch = await findPassword(asked, ["http", "git"], env);
  if (credential?.kind !== "password") return { headers: {} };
  return { headers: { authorization: basicAuthorization(credential) } };
}
