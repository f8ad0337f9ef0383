import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Pair, YAMLMap } from "yaml";
import { UserError } from "../core/errors.ts";
import { isRepository } from "../oci/reference.ts";
import { isRegistry, normalizeRegistry, ruleHost } from "../oci/registry-host.ts";

/** A file that the configuration names. */
export interface NamedFile {
  readonly path: string;
  /** `FILE:LINE:COLUMN: registries.HOST.KEY`. */
  readonly where: string;
}

/** An entry under `registries`. */
export interface ConfiguredRegistry {
  readonly plainHttp?: boolean;
  readonly ca?: NamedFile;
  readonly certificate?: NamedFile;
  readonly key?: NamedFile;
  readonly tokenService?: string;
  readonly repositoryPrefix?: string;
}

/** The file or variable with the value of a header field. */
export type SecretPlace = NamedFile | { readonly variable: string; readonly where: string };

/** An entry under `remoteCaches`. */
export interface ConfiguredCache {
  readonly ca?: NamedFile;
  readonly certificate?: NamedFile;
  readonly key?: NamedFile;
  /** By name. */
  readonly headers?: ReadonlyMap<string, SecretPlace>;
  /** A program on PATH, or its path. */
  readonly credentialHelper?: NamedFile;
}

/** An entry under `kubernetes.contexts`. */
export interface ConfiguredContext {
  /** Whether its nodes share this machine's network, so that they reach registries on its loopback interface. */
  readonly nodeLocal?: boolean;
  /** `http(s)://HOST[:PORT]` at which pods reach the registry of the images. Default: the name of the registry. */
  readonly podRegistry?: string;
  /** Name of a Secret of type `kubernetes.io/basic-auth` with which pods store files of functions. Default: a token of the registry. */
  readonly filesCredential?: string;
  /** The namespace of jobs. Default: that of the kubeconfig. */
  readonly namespace?: string;
}

/** A key for signatures: a file, `env://NAME`, or the URI of a KMS. */
export interface NamedKey {
  readonly source: string;
  /** `FILE:LINE:COLUMN: images.NAME.KEY`. */
  readonly where: string;
}

/** An entry under `images.NAME.require.attestations`. */
export interface RequiredAttestation {
  /** `slsaprovenance1`, `spdxjson`, `cyclonedx`, or the URI of a predicate's type. */
  readonly type: string;
  /** SLSA provenance: the ID of the builder. */
  readonly builder?: string;
  /** SLSA provenance: the URL of the source repository. */
  readonly source?: string;
}

/** An entry under `images`. */
export interface ConfiguredImages {
  /** Only images that are signed with this key run. */
  readonly requiredKey?: NamedKey;
  /** Attestations by the same key that they have too. */
  readonly attestations?: readonly RequiredAttestation[];
  /** The private key that signs images when they are pushed. */
  readonly signingKey?: NamedKey;
}

type Kind =
  | "boolean"
  | "text"
  | "file"
  | "program"
  | "headers"
  | "host"
  | "repository"
  | "key"
  | "requirement"
  | "attestations"
  | "signature"
  | "signer";

// Other modules read the last two.
const sections = ["registries", "remoteCaches", "kubernetes", "images", "services", "instanceTypes"];
const registryKeys: Readonly<Record<keyof ConfiguredRegistry, Kind>> = {
  plainHttp: "boolean",
  ca: "file",
  certificate: "file",
  key: "file",
  tokenService: "host",
  repositoryPrefix: "repository",
};
const cacheKeys: Readonly<Record<keyof ConfiguredCache, Kind>> = {
  ca: "file",
  certificate: "file",
  key: "file",
  headers: "headers",
  credentialHelper: "program",
};
const contextKeys: Readonly<Record<keyof ConfiguredContext, Kind>> = {
  nodeLocal: "boolean",
  podRegistry: "text",
  filesCredential: "text",
  namespace: "text",
};

/**
 * Reads the section `registries` of a configuration file. Checks all of it, so that a mistake shows with any registry.
 *
 * @param path the file's name, for errors; files that it names are relative to its folder
 * @returns settings by registry, Docker Hub as `registry-1.docker.io`
 * @throws UserError that names file, line, column and key
 */
export async function readRegistries(text: string, path: string): Promise<ReadonlyMap<string, ConfiguredRegistry>> {
  return new ConfigFile(text, path, await import("./yaml.mjs")).registries();
}

/**
 * Reads the section `remoteCaches`.
 *
 * @returns settings by the canonical `HOST[:PORT]`
 * @throws UserError as {@link readRegistries}
 */
export async function readRemoteCaches(text: string, path: string): Promise<ReadonlyMap<string, ConfiguredCache>> {
  return new ConfigFile(text, path, await import("./yaml.mjs")).remoteCaches();
}

/**
 * Reads `kubernetes.contexts` of a configuration file.
 *
 * @returns settings by the name of a context in the user's kubeconfig
 * @throws UserError as {@link readRegistries}
 */
export async function readContexts(text: string, path: string): Promise<ReadonlyMap<string, ConfiguredContext>> {
  return new ConfigFile(text, path, await import("./yaml.mjs")).contexts();
}

/**
 * Reads the section `images`.
 *
 * @returns settings by `HOST` or `HOST/REPOSITORY`, the host as by `ruleHost`, or by `*`
 * @throws UserError as {@link readRegistries}
 */
export async function readImages(text: string, path: string): Promise<ReadonlyMap<string, ConfiguredImages>> {
  return new ConfigFile(text, path, await import("./yaml.mjs")).images();
}

/** Returns the values of a file, unchecked. @throws if it is not YAML */
export async function readValues(text: string): Promise<unknown> {
  const document = (await import("./yaml.mjs")).parseDocument(text);
  if (document.errors[0]) throw document.errors[0];
  return document.toJS();
}

type Yaml = typeof import("./yaml.mjs");

class ConfigFile {
  readonly #path: string;
  readonly #yaml: Yaml;
  readonly #lines: InstanceType<Yaml["LineCounter"]>;
  readonly #document: ReturnType<Yaml["parseDocument"]>;

  constructor(text: string, path: string, yaml: Yaml) {
    this.#path = path;
    this.#yaml = yaml;
    this.#lines = new yaml.LineCounter();
    this.#document = yaml.parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const [error] = this.#document.errors;
    if (error) {
      const position = this.#position(error.pos[0]);
      throw new UserError(
        { code: "file-invalid", culprit: position },
        `${position}: this is not YAML: ${error.message.split("\n", 1)[0]?.replace(/\.$/, "")}.`,
        "Correct the syntax.",
      );
    }
  }

  registries(): Map<string, ConfiguredRegistry> {
    const found = new Map<string, ConfiguredRegistry>();
    for (const [registry, entry] of this.#section("registries")) {
      const where = `registries.${registry}`;
      if (!isRegistry(registry)) {
        this.#fail(
          entry.key,
          `registries has ${JSON.stringify(registry)}, which is not the name of a registry`,
          "Write HOST or HOST:PORT, without https:// and without a path.",
        );
      }
      const normal = normalizeRegistry(registry);
      if (found.has(normal)) this.#fail(entry.key, `${where} is set twice`, "Remove one of them.");
      found.set(normal, this.#registry(entry, where));
    }
    return found;
  }

  remoteCaches(): Map<string, ConfiguredCache> {
    return new Map(
      this.#section("remoteCaches").map(([host, entry]) => {
        const where = `remoteCaches.${host}`;
        if (!isRegistry(host)) {
          const problem = `remoteCaches has ${JSON.stringify(host)}, which is not a host`;
          this.#fail(entry.key, problem, "Write HOST or HOST:PORT, without grpcs:// and without a path.");
        }
        const settings = this.#fields<ConfiguredCache>(entry, where, cacheKeys);
        this.#checkPair(settings, entry, where);
        return [normalizeRegistry(host), settings];
      }),
    );
  }

  contexts(): Map<string, ConfiguredContext> {
    const found = new Map<string, ConfiguredContext>();
    for (const [name, pair] of this.#section("kubernetes")) {
      if (name !== "contexts") this.#unknown(pair, name, `kubernetes.${name}`, ["contexts"]);
      if (this.#isEmpty(pair.value)) continue;
      for (const [context, entry] of this.#pairs(pair.value, "kubernetes.contexts")) {
        found.set(context, this.#fields<ConfiguredContext>(entry, `kubernetes.contexts.${context}`, contextKeys));
      }
    }
    return found;
  }

  images(): Map<string, ConfiguredImages> {
    const found = new Map<string, ConfiguredImages>();
    for (const [name, entry] of this.#section("images")) {
      const [registry = "", ...path] = name.split("/");
      const isAll = name === "*";
      if (!isAll && (!isRegistry(registry) || (path.length > 0 && !isRepository(path.join("/"))))) {
        const problem = `images has ${JSON.stringify(name)}, which is neither a registry nor a repository`;
        this.#fail(entry.key, problem, 'Write HOST, HOST:PORT, HOST/REPOSITORY, or "*" for all others.');
      }
      type Required = { signature?: { key?: NamedKey }; attestations?: readonly RequiredAttestation[] };
      type Written = { require?: Required; sign?: { key?: NamedKey } };
      const { require, sign } = this.#fields<Written>(entry, `images.${name}`, {
        require: "requirement",
        sign: "signer",
      });
      const requiredKey = require?.signature?.key;
      const signingKey = sign?.key;
      if ((require && !requiredKey) || (sign && !signingKey)) {
        const problem = `images.${name} requires a signature or signs, without a key`;
        this.#fail(entry.key, problem, "Write require: {signature: {key: FILE}} or sign: {key: FILE}.");
      }
      const key = isAll ? name : [ruleHost(registry), ...path].join("/");
      if (found.has(key)) this.#fail(entry.key, `images.${name} is set twice`, "Remove one of them.");
      found.set(key, {
        ...(requiredKey ? { requiredKey } : {}),
        ...(require?.attestations ? { attestations: require.attestations } : {}),
        ...(signingKey ? { signingKey } : {}),
      });
    }
    return found;
  }

  /** The entries of a section, if any. Also checks that no section is unknown. */
  #section(wanted: string): [string, Pair][] {
    const { contents } = this.#document;
    if (this.#isEmpty(contents)) return [];
    const found: [string, Pair][] = [];
    for (const [name, pair] of this.#pairs(contents, "the document")) {
      if (!sections.includes(name)) this.#unknown(pair, name, name, sections);
      if (name === wanted && !this.#isEmpty(pair.value)) found.push(...this.#pairs(pair.value, name));
    }
    return found;
  }

  #registry(entry: Pair, where: string): ConfiguredRegistry {
    const settings = this.#fields<ConfiguredRegistry>(entry, where, registryKeys);
    this.#checkPair(settings, entry, where);
    const overTls = (["ca", "certificate"] as const).find((name) => settings[name]);
    if (settings.plainHttp && overTls) {
      const problem = `${where} has plainHttp and ${overTls}, which is for TLS`;
      this.#fail(this.#keyOf(entry, "plainHttp"), problem, "Remove one of them.");
    }
    return settings;
  }

  #checkPair(settings: Pick<ConfiguredCache, "certificate" | "key">, entry: Pair, where: string): void {
    const [lone, missing] = settings.certificate
      ? (["certificate", "key"] as const)
      : (["key", "certificate"] as const);
    if (settings[lone] && !settings[missing]) {
      this.#fail(this.#keyOf(entry, lone), `${where} has ${lone} without ${missing}`, "Set both.");
    }
  }

  #keyOf(entry: Pair, name: string): unknown {
    return (entry.value as YAMLMap).items.find(({ key }) => this.#scalar(key) === name)?.key;
  }

  /** A mapping of header fields, each with `file` or `env`. */
  #headers(node: unknown, where: string): Map<string, SecretPlace> {
    const found = new Map<string, SecretPlace>();
    for (const [name, pair] of this.#pairs(node, where)) {
      const field = `${where}.${name}`;
      if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
        this.#fail(pair.key, `${field} is not the name of a header field`, "Write a name such as x-api-key.");
      }
      const place = this.#fields<{ file?: NamedFile; env?: string }>(pair, field, { file: "file", env: "text" });
      if (Boolean(place.file) === Boolean(place.env)) {
        this.#fail(pair.key, `${field} has neither or both of file and env`, "Write {file: FILE} or {env: VARIABLE}.");
      }
      found.set(name, place.file ?? { variable: place.env as string, where: `${this.#at(pair.key)}: ${field}` });
    }
    return found;
  }

  #attestations({ value, key }: Pair, where: string): RequiredAttestation[] {
    if (!this.#yaml.isSeq(value))
      return this.#fail(value ?? key, `${where} is not a list`, "Write - {type: TYPE} lines.");
    return value.items.map((node, index) => {
      const each = `${where}[${index}]`;
      const kinds = { type: "text", builder: "text", source: "text" } as const;
      const pair = new this.#yaml.Pair(node, node);
      const found = this.#fields<Partial<RequiredAttestation>>(pair as Pair, each, kinds);
      if (!found.type) return this.#fail(node, `${each} has no type`, "Write type: slsaprovenance1, or another type.");
      return found as RequiredAttestation;
    });
  }

  /** The fields of a mapping, each checked by its kind. */
  #fields<Settings>(entry: Pair, where: string, kinds: Readonly<Record<keyof Settings & string, Kind>>): Settings {
    const known = Object.keys(kinds);
    const fields: Record<string, unknown> = {};
    for (const [name, pair] of this.#pairs(entry.value, where)) {
      if (!known.includes(name)) this.#unknown(pair, name, `${where}.${name}`, known);
      fields[name] = this.#value(kinds[name as keyof Settings & string], pair, `${where}.${name}`);
    }
    return fields as Settings;
  }

  #value(kind: Kind, pair: Pair, where: string): unknown {
    if (kind === "headers") return this.#headers(pair.value, where);
    if (kind === "requirement") {
      const kinds = { signature: "signature", attestations: "attestations" } as const;
      return this.#fields<{ signature?: unknown; attestations?: unknown }>(pair, where, kinds);
    }
    if (kind === "attestations") return this.#attestations(pair, where);
    if (kind === "signature" || kind === "signer") return this.#fields<{ key?: NamedKey }>(pair, where, { key: "key" });
    const value = this.#scalar(pair.value);
    const at = pair.value ?? pair.key;
    if (kind === "boolean") {
      if (typeof value !== "boolean") this.#fail(at, `${where} is neither true nor false`, "Write true or false.");
      return value;
    }
    if (typeof value !== "string" || value === "") return this.#fail(at, `${where} is not a text`, "Write a text.");
    if (kind === "host" && !isRegistry(value)) {
      this.#fail(at, `${where} is ${JSON.stringify(value)}, which is not a host`, "Write HOST or HOST:PORT.");
    }
    if (kind === "host") return normalizeRegistry(value);
    if (kind === "repository" && !isRepository(value)) {
      this.#fail(
        at,
        `${where} is ${JSON.stringify(value)}, which no repository can begin with`,
        "Write TEAM or TEAM/JOBS.",
      );
    }
    if (kind === "program" && !value.includes("/")) return { path: value, where: `${this.#at(at)}: ${where}` };
    if (kind === "key" && value.includes("://")) return { source: value, where: `${this.#at(at)}: ${where}` };
    if (kind !== "file" && kind !== "program" && kind !== "key") return value;
    const path = value.startsWith("~/") ? join(homedir(), value.slice(2)) : resolve(dirname(this.#path), value);
    return { [kind === "key" ? "source" : "path"]: path, where: `${this.#at(at)}: ${where}` };
  }

  #scalar(node: unknown): unknown {
    return this.#yaml.isScalar(node) ? node.value : undefined;
  }

  #isEmpty(node: unknown): boolean {
    return node === null || this.#scalar(node) === null;
  }

  *#pairs(node: unknown, what: string): Generator<[string, Pair]> {
    if (!this.#yaml.isMap(node))
      return this.#fail(node, `${what} is not a mapping`, "Write `name: value` lines, indented.");
    for (const pair of node.items) {
      const key = this.#scalar(pair.key);
      if (typeof key !== "string") this.#fail(pair.key, "a key is not a text", "Put it in quotes.");
      yield [key as string, pair];
    }
  }

  #unknown(pair: Pair, name: string, where: string, known: readonly string[]): never {
    const nearest = known.find((each) => each.toLowerCase() === name.toLowerCase());
    const remedy = nearest ? `It is written ${nearest}.` : `Known here: ${known.join(", ")}.`;
    return this.#fail(pair.key, `${where} is not known`, remedy);
  }

  #fail(node: unknown, problem: string, remedy: string): never {
    const position = this.#at(node);
    throw new UserError({ code: "field-invalid", culprit: position }, `${position}: ${problem}.`, remedy);
  }

  #at(node: unknown): string {
    return this.#position((node as { range?: readonly number[] } | null)?.range?.[0] ?? 0);
  }

  #position(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#path}:${line || 1}:${col || 1}`;
  }
}
