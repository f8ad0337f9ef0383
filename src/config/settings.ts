import { readFileSync } from "node:fs";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { configFile } from "../core/user-folders.ts";
import { normalizeRegistry } from "../oci/registry-host.ts";
import { certificatesOf } from "./certificates-folder.ts";
import {
  type ConfiguredContext,
  type NamedFile,
  readContexts,
  readRegistries,
  readRemoteCaches,
  type SecretPlace,
} from "./config-file.ts";
import type { Trust } from "./trust.ts";

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
  const isOurs =
    env["SLIPWAY_REGISTRY"] !== undefined && normalizeRegistry(env["SLIPWAY_REGISTRY"]) === normalizeRegistry(registry);
  const given = isOurs ? (env["SLIPWAY_REPOSITORY_PREFIX"] ?? "").replace(/^\/+|\/+$/g, "") : "";
  // Parsing the file takes longer than the rest of a launch without changes.
  const isConfigured = readConfiguration(env).text?.includes("repositoryPrefix");
  const prefix = given || (isConfigured ? (await configuredRegistry(registry, env))?.repositoryPrefix : undefined);
  return (name) => (prefix === undefined || `${name}/`.startsWith(`${prefix}/`) ? name : `${prefix}/${name}`);
}

/** How to reach one cache of build outputs, by the user's configuration. */
export interface RemoteCacheSettings extends Trust {
  /** Secrets among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** A program that speaks Bazel's protocol for credential helpers. */
  readonly credentialHelper?: NamedFile;
}

/**
 * Reads the settings of a cache: its entry under `remoteCaches`, by host and port, else by host.
 *
 * @param host `HOST[:PORT]`
 * @throws UserError as {@link registrySettings}
 */
export async function remoteCacheSettings(host: string, env: Environment = process.env): Promise<RemoteCacheSettings> {
  const { path, text } = readConfiguration(env);
  const caches = text === undefined ? undefined : await readRemoteCaches(text, path);
  const { ca, certificate, key, headers, credentialHelper } =
    caches?.get(normalizeRegistry(host)) ?? caches?.get(normalizeRegistry(host.replace(/:\d+$/, ""))) ?? {};
  return {
    ...trustOf({ ca, certificate, key }),
    ...(credentialHelper ? { credentialHelper } : {}),
    headers: Object.fromEntries([...(headers ?? [])].map(([name, place]) => [name, secretAt(place, env)])),
  };
}

function secretAt(place: SecretPlace, env: Environment): string {
  const value = "variable" in place ? env[place.variable] : readNamed(place).trim();
  if (value && !/[\0\r\n]/.test(value)) return value;
  const [file, what] = "variable" in place ? [place.variable, "variable"] : [place.path, "file"];
  throw new UserError(
    { code: "variable-invalid", culprit: file },
    `${place.where}: ${what} ${file} is ${value ? "not one line" : "empty"}.`,
    "Put the value of the header field into it, in one line.",
  );
}

/** Reads the settings of a context of the kubeconfig. Errors as {@link registrySettings}. */
export async function contextSettings(context: string, env: Environment = process.env): Promise<ConfiguredContext> {
  const { path, text } = readConfiguration(env);
  return (text === undefined ? undefined : (await readContexts(text, path)).get(context)) ?? {};
}

/** The user's configuration file, and its text if it exists. */
export function readConfiguration(env: Environment): { readonly path: string; readonly text?: string } {
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
  const entry = (await readRegistries(text, path)).get(normalizeRegistry(registry));
  if (!entry) return undefined;
  const { ca, certificate, key, ...settings } = entry;
  return { ...settings, ...trustOf({ ca, certificate, key }) };
}

type TrustFiles = Partial<Record<"ca" | "certificate" | "key", NamedFile | undefined>>;

function trustOf({ ca, certificate, key }: TrustFiles): Trust {
  return {
    ...(ca ? { authorities: [pem(ca)] } : {}),
    ...(certificate && key ? { clientCertificate: { certificate: pem(certificate), key: pem(key) } } : {}),
  };
}

function readNamed({ path, where }: NamedFile): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UserError(
      { code: "file-unreadable", culprit: path },
      `${where}: ${path} cannot be read (${code}).`,
      "Name a file that you can read.",
      { cause },
    );
  }
}

function pem(file: NamedFile): string {
  const text = readNamed(file);
  if (text.includes("-----BEGIN ")) return text;
  const { path, where } = file;
  throw new UserError(
    { code: "file-invalid", culprit: path },
    `${where}: ${path} is not a PEM file.`,
    "Name a file with -----BEGIN … lines in it.",
  );
}
