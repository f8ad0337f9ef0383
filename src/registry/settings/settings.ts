import { readFileSync } from "node:fs";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { configFile } from "../../core/user-folders.ts";
import { normalizeRegistry } from "../../oci/reference.ts";
import type { Trust } from "../client/trust.ts";
import { certificatesOf } from "./certificates-folder.ts";
import { type ConfiguredContext, type NamedFile, readContexts, readRegistries } from "./config-file.ts";

/** How to reach one registry, by the user's configuration. */
export interface RegistrySettings extends Trust {
  /** Speak plain HTTP to it. Default: only to loopback. */
  readonly plainHttp?: boolean;
  /** A further host whose token service may get the credential of this registry. */
  readonly tokenService?: string;
  /** What the names of repositories that Slipway pushes to begin with, such as `team/jobs`. */
  readonly repositoryPrefix?: string;
}

/**
 * Reads the settings of a registry: its entry under `registries` in the user's configuration file, and certificates from podman's and
 * docker's folders. Most users have none of these files, which costs two or three look-ups.
 *
 * @param registry `host[:port]`
 * @throws UserError that names the file, and the line and key in it
 */
export async function registrySettings(registry: string, env: Environment = process.env): Promise<RegistrySettings> {
  const configured = await configuredRegistry(registry, env);
  const fromFolder = configured?.plainHttp ? {} : certificatesOf(registry, env);
  return { ...fromFolder, ...configured };
}

/**
 * Gives the repositories for names in a registry: below `SLIPWAY_REPOSITORY_PREFIX` in `SLIPWAY_REGISTRY`, else below the registry's
 * `repositoryPrefix`. A name that is there already stays.
 *
 * @param registry `host[:port]`
 * @throws UserError as {@link registrySettings}
 */
export async function placesIn(registry: string, env: Environment = process.env): Promise<(name: string) => string> {
  const isOurs = env["SLIPWAY_REGISTRY"] !== undefined && normalizeRegistry(env["SLIPWAY_REGISTRY"]) === registry;
  const given = isOurs ? (env["SLIPWAY_REPOSITORY_PREFIX"] ?? "").replace(/^\/+|\/+$/g, "") : "";
  // Parsing the file takes longer than the rest of a launch without changes.
  const isConfigured = readConfiguration(env).text?.includes("repositoryPrefix");
  const prefix = given || (isConfigured ? (await configuredRegistry(registry, env))?.repositoryPrefix : undefined);
  return (name) => (prefix === undefined || `${name}/`.startsWith(`${prefix}/`) ? name : `${prefix}/${name}`);
}

/** Reads the settings of a context of the kubeconfig. Errors as {@link registrySettings}. */
export async function contextSettings(context: string, env: Environment = process.env): Promise<ConfiguredContext> {
  const { path, text } = readConfiguration(env);
  return (text === undefined ? undefined : (await readContexts(text, path)).get(context)) ?? {};
}

function readConfiguration(env: Environment): { readonly path: string; readonly text?: string } {
  const { path, named } = configFile(env);
  try {
    return { path, text: readFileSync(path, "utf8") };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" && !named) return { path };
    throw new UserError(
      { code: "file-unreadable", culprit: path },
      `Configuration file ${path} cannot be read (${code}).`,
      named ? "Correct SLIPWAY_CONFIG, which names it, or unset it." : "Make it a file that you can read.",
      { cause },
    );
  }
}

async function configuredRegistry(registry: string, env: Environment): Promise<RegistrySettings | undefined> {
  const { path, text } = readConfiguration(env);
  if (text === undefined) return undefined;
  const entry = (await readRegistries(text, path)).get(registry);
  if (!entry) return undefined;
  const { ca, certificate, key, ...settings } = entry;
  return {
    ...settings,
    ...(ca ? { authorities: [pem(ca)] } : {}),
    ...(certificate && key ? { clientCertificate: { certificate: pem(certificate), key: pem(key) } } : {}),
  };
}

function pem({ path, where }: NamedFile): string {
  try {
    const text = readFileSync(path, "utf8");
    if (text.includes("-----BEGIN ")) return text;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UserError(
      { code: "file-unreadable", culprit: path },
      `${where}: ${path} cannot be read (${code}).`,
      "Name a PEM file that you can read.",
      { cause },
    );
  }
  throw new UserError(
    { code: "file-invalid", culprit: path },
    `${where}: ${path} is not a PEM file.`,
    "Name a file with -----BEGIN … lines in it.",
  );
}
