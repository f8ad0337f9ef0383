import { readFileSync } from "node:fs";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { dockerHub, normalizeRegistry, ruleHost } from "../oci/registry-host.ts";
import { certificatesOf } from "./certificates-folder.ts";
import { readConfig } from "./config-file.ts";
import type { ConfiguredContext, ConfiguredRegistry, RequiredAttestation } from "./config-schema.ts";
import type { NamedFile, NamedKey, NamedVariable } from "./shape.ts";
import type { Trust } from "./trust.ts";

export type RegistrySettings = Trust & Pick<ConfiguredRegistry, "plainHttp" | "tokenService" | "repositoryPrefix">;

/**
 * The entry under `registries`, and certificates of podman's and docker's folders. Most users have none of these files,
 * which costs two or three look-ups.
 */
export async function registrySettings(registry: string, env: Environment = process.env): Promise<RegistrySettings> {
  const { registries } = await readConfig(env);
  const { ca, certificate, key, ...settings } = registries?.get(normalizeRegistry(registry)) ?? {};
  const fromFolder = settings.plainHttp ? {} : certificatesOf(registry, env);
  return { ...fromFolder, ...settings, ...trustOf({ ca, certificate, key }) };
}

/** Names below `SLIPWAY_REPOSITORY_PREFIX` or the registry's `repositoryPrefix`, unless they are already. */
export async function placesIn(registry: string, env: Environment = process.env): Promise<(name: string) => string> {
  const isOurs =
    env["SLIPWAY_REGISTRY"] !== undefined && normalizeRegistry(env["SLIPWAY_REGISTRY"]) === normalizeRegistry(registry);
  const given = isOurs ? (env["SLIPWAY_REPOSITORY_PREFIX"] ?? "").replace(/^\/+|\/+$/g, "") : "";
  const { registries } = await readConfig(env);
  const prefix = given || registries?.get(normalizeRegistry(registry))?.repositoryPrefix;
  return (name) => (prefix === undefined || `${name}/`.startsWith(`${prefix}/`) ? name : `${prefix}/${name}`);
}

export interface RemoteCacheSettings extends Trust {
  /** Secrets among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** A program that speaks Bazel's protocol for credential helpers. */
  readonly credentialHelper?: NamedFile;
}

/** The entry under `remoteCaches` for `HOST:PORT`, else for `HOST`. */
export async function remoteCacheSettings(host: string, env: Environment = process.env): Promise<RemoteCacheSettings> {
  const { remoteCaches: caches } = await readConfig(env);
  const { ca, certificate, key, headers, credentialHelper } =
    caches?.get(normalizeRegistry(host)) ?? caches?.get(normalizeRegistry(host.replace(/:\d+$/, ""))) ?? {};
  return {
    ...trustOf({ ca, certificate, key }),
    ...(credentialHelper ? { credentialHelper } : {}),
    headers: Object.fromEntries(
      [...(headers ?? [])].map(([name, { file, env: variable }]) => [
        name,
        secretAt((file ?? variable) as NamedFile | NamedVariable, env),
      ]),
    ),
  };
}

function secretAt(place: NamedFile | NamedVariable, env: Environment): string {
  const value = "variable" in place ? env[place.variable] : readNamed(place).trim();
  if (value && !/[\0\r\n]/.test(value)) return value;
  const [source, what] = "variable" in place ? [place.variable, "variable"] : [place.path, "file"];
  throw new UserError(
    { code: "variable-invalid", culprit: source },
    `${place.where}: ${what} ${source} is ${value ? "not one line" : "empty"}.`,
    "Put the value of the header field into it, in one line.",
  );
}

export async function contextSettings(context: string, env: Environment = process.env): Promise<ConfiguredContext> {
  return (await readConfig(env)).kubernetes?.contexts?.get(context) ?? {};
}

export interface ImageRules {
  /** Only images that are signed with this key run. */
  readonly requiredKey?: NamedKey;
  readonly attestations?: readonly RequiredAttestation[];
  /** The private key that signs images when they are pushed. */
  readonly signingKey?: NamedKey;
}

/**
 * The entry under `images` with the longest name that the repository is in, else `*`. Names that may lead to one
 * registry are one name here.
 */
export async function imageRules(
  registry: string,
  repository: string,
  env: Environment = process.env,
): Promise<ImageRules> {
  const { images } = await readConfig(env);
  const host = ruleHost(registry);
  const names = [`${host}/${repository}/`];
  // `docker.io/ubuntu` is `library/ubuntu`.
  if (host === dockerHub && repository.startsWith("library/")) names.push(`${host}/${repository.slice(8)}/`);
  const entries = [...(images ?? [])].filter(([key]) => names.some((name) => name.startsWith(`${key}/`)));
  const [longest] = entries.sort(([one], [other]) => other.length - one.length);
  const { require, sign } = longest?.[1] ?? images?.get("*") ?? {};
  return {
    ...(require ? { requiredKey: require.signature.key } : {}),
    ...(require?.attestations ? { attestations: require.attestations } : {}),
    ...(sign ? { signingKey: sign.key } : {}),
  };
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
