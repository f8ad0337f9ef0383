import { UserError } from "../../oci/errors.ts";
import { isRepository, normalizeRegistry } from "../../oci/reference.ts";
import type { CredentialSearch, Environment } from "../credential.ts";
import { findCredential } from "../find.ts";
import { findPassword } from "../find-remote.ts";
import { parseServiceUrl } from "../service-url.ts";
import { type HelperAnswer, type HelperCall, unknownAction } from "./helper.ts";
import { readInput } from "./input.ts";

const program = "bazel-credential-slipway";

/**
 * Bazel's credential helper protocol: `get`, with `{"uri": …}` on stdin and header fields on stdout. A registry's API is answered from the
 * sources for registries, everything else from those for downloads and git servers. Nothing known: no header fields.
 */
export async function bazelHelper({ args, stdin, env }: HelperCall): Promise<HelperAnswer> {
  if (args[0] !== "get") throw unknownAction(program, args[0], ["get"]);
  const { credential, headers, expiresAt } = await find(readUri(await readInput(stdin)), env);
  const fields: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) fields[name] = [value];
  if (credential?.kind === "password") {
    const pair = Buffer.from(`${credential.username}:${credential.password}`).toString("base64");
    fields["Authorization"] = [`Basic ${pair}`];
  } else if (credential?.kind === "registry-token") {
    fields["Authorization"] = [`Bearer ${credential.token}`];
  }
  // With a part of a second Bazel 7 cannot read it.
  const expires = expiresAt && { expires: expiresAt.toISOString().replace(/\.\d+Z$/, "Z") };
  return { stdout: `${JSON.stringify({ headers: fields, ...expires })}\n` };
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

async function find(url: URL, env: Environment): Promise<CredentialSearch> {
  const repository = /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\/[^/]+$/.exec(url.pathname)?.[1];
  if (repository !== undefined && isRepository(repository)) {
    const found = await findCredential({ registry: normalizeRegistry(url.host), repository }, env);
    if (found.credential) return found;
  }
  // A remote cache is asked for by grpcs:, which is TLS as https: is.
  const scheme = url.protocol === "http:" || url.protocol === "grpc:" ? "http" : "https";
  return findPassword(parseServiceUrl("http", `${scheme}://${url.host}${url.pathname}`), ["http", "git"], env);
}
