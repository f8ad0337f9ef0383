import { registrySettings } from "../config/settings.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { runProgram } from "../core/run-program.ts";
import type { Credential } from "../credentials/credential.ts";
import { findCredential } from "../credentials/find.ts";
import { parseReference } from "../oci/reference.ts";
import type { ContainerClient } from "./client.ts";
import { isRefusal, oneLine, remedyOf } from "./failure.ts";
import { isFromLoopback } from "./loopback.ts";
import { type Access, type Login, makeRunFolder } from "./run-folder.ts";

/** Pulls an image: with `login`, else with the client's own logins and then as {@link pullWithAccess}. */
export async function pullImage(client: ContainerClient, image: string, login: Login | undefined, env: Environment) {
  const words = await pull(client, image, login === undefined ? {} : { login }, env);
  if (words === "" || (login === undefined && isRefusal(words) && (await pullWithAccess(client, image, env)))) return;
  throw refused(client, image, words, login?.source);
}

/**
 * Call it only after the registry refused the client: the search may run credential helpers.
 *
 * @returns false if Slipway has neither credential nor settings
 */
export async function pullWithAccess(client: ContainerClient, image: string, env: Environment): Promise<boolean> {
  const access = await findAccess(client, image, env);
  if (access === undefined) return false;
  const words = await pull(client, image, access, env);
  if (words === "") return true;
  throw refused(client, image, words, access.source);
}

function refused(client: ContainerClient, image: string, words: string, source?: string): UserError {
  const used = source === undefined ? "" : ` with the credential from ${source}`;
  return new UserError(
    { code: "image-pull-failed", culprit: image },
    `${client.name} pull of ${image} failed${used}: ${words}`,
    source === undefined || !isRefusal(words)
      ? `${remedyOf(client, image, words)}.`
      : "Correct that credential: `slipway credentials test` tries it.",
  );
}

async function findAccess(
  client: ContainerClient,
  image: string,
  env: Environment,
): Promise<(Access & { readonly source?: string | undefined }) | undefined> {
  const { registry, repository } = parseReference(image);
  const settings = await registrySettings(registry, env);
  const { credential, source } = await findCredential({ registry, repository }, env);
  const login = credential && loginOf(client, credential);
  if (login === undefined && Object.keys(settings).length === 0) return undefined;
  return { settings, ...(login && { login, source }) };
}

function loginOf(client: ContainerClient, credential: Credential): Login | undefined {
  if (credential.kind === "password") return credential;
  if (credential.kind === "identity-token")
    return { username: "<token>", password: "", identityToken: credential.token };
  // podman does not read this one.
  return client.name === "podman" ? undefined : { username: "<token>", password: "", registryToken: credential.token };
}

async function pull(client: ContainerClient, image: string, access: Access, env: Environment): Promise<string> {
  const { plainHttp, authorities } = access.settings ?? {};
  const isInsecure = plainHttp ?? (isFromLoopback(image) && authorities === undefined);
  using folder = makeRunFolder(client, image, "", access, env);
  const args = [
    ...(client.name === "podman" ? ["--log-level=error"] : []),
    "pull",
    "--quiet",
    ...(client.name === "podman" && isInsecure ? ["--tls-verify=false"] : []),
    ...folder.pullArguments,
    image,
  ];
  const variables = { ...env, ...folder.variables };
  const { status, stderr } = await runProgram(client.path, args, { env: variables, onInterrupt: "pass" });
  return status === 0 ? "" : oneLine(stderr) || `it ended with status ${status}`;
}
