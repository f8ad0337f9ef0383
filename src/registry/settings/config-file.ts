import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Pair, YAMLMap } from "yaml";
import { UserError } from "../../core/errors.ts";
import { isRegistry, normalizeRegistry } from "../../oci/reference.ts";

/** A file that the configuration names. */
export interface NamedFile {
  readonly path: string;
  /** `FILE:LINE:COLUMN: registries.HOST.KEY`. */
  readonly where: string;
}

/** An entry under `registries`. */
export interface ConfiguredRegistry {
  readonly plainHttp?: boolean;
  readonly authority?: NamedFile;
  readonly certificate?: NamedFile;
  readonly key?: NamedFile;
  readonly tokenService?: string;
}

/** An entry under `kubernetes.contexts`. */
export interface ConfiguredContext {
  /** Whether its nodes share this machine's network, so that they reach registries on its loopback interface. */
  readonly nodeLocal?: boolean;
  /** The namespace of jobs. Default: that of the kubeconfig. */
  readonly namespace?: string;
}

// Another module reads `services`.
const sections = ["registries", "kubernetes", "services"];
const contextKeys = ["nodeLocal", "namespace"];
const keys = ["plainHttp", "ca", "certificate", "key", "tokenService"] as const;
type Key = (typeof keys)[number];

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
 * Reads `kubernetes.contexts` of a configuration file.
 *
 * @returns settings by the name of a context in the user's kubeconfig
 * @throws UserError as {@link readRegistries}
 */
export async function readContexts(text: string, path: string): Promise<ReadonlyMap<string, ConfiguredContext>> {
  return new ConfigFile(text, path, await import("./yaml.mjs")).contexts();
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
      found.set(normal, this.#registry(this.#map(entry.value, where), where));
    }
    return found;
  }

  contexts(): Map<string, ConfiguredContext> {
    const found = new Map<string, ConfiguredContext>();
    for (const [name, pair] of this.#section("kubernetes")) {
      if (name !== "contexts") this.#unknown(pair, name, `kubernetes.${name}`, ["contexts"]);
      if (this.#isEmpty(pair.value)) continue;
      for (const [context, entry] of this.#pairs(this.#map(pair.value, "kubernetes.contexts"))) {
        const where = `kubernetes.contexts.${context}`;
        const pairs = new Map(this.#pairs(this.#map(entry.value, where)));
        for (const [key, each] of pairs) {
          if (!contextKeys.includes(key)) this.#unknown(each, key, `${where}.${key}`, contextKeys);
        }
        const nodeLocal = pairs.get("nodeLocal");
        const namespace = pairs.get("namespace");
        found.set(context, {
          ...(nodeLocal ? { nodeLocal: this.#boolean(nodeLocal, `${where}.nodeLocal`) } : {}),
          ...(namespace ? { namespace: this.#string(namespace, `${where}.namespace`) } : {}),
        });
      }
    }
    return found;
  }

  /** The entries of a section, if any. Also checks that no section is unknown. */
  #section(wanted: string): [string, Pair][] {
    const { contents } = this.#document;
    if (this.#isEmpty(contents)) return [];
    const found: [string, Pair][] = [];
    for (const [name, pair] of this.#pairs(this.#map(contents, "the document"))) {
      if (!sections.includes(name)) this.#unknown(pair, name, name, sections);
      if (name !== wanted || this.#isEmpty(pair.value)) continue;
      found.push(...this.#pairs(this.#map(pair.value, name)));
    }
    return found;
  }

  #registry(map: YAMLMap, where: string): ConfiguredRegistry {
    const pairs = new Map(this.#pairs(map));
    for (const [name, pair] of pairs) {
      if (!keys.includes(name as Key)) this.#unknown(pair, name, `${where}.${name}`, keys);
    }
    for (const [one, other] of [
      ["certificate", "key"],
      ["key", "certificate"],
    ] as const) {
      const pair = pairs.get(one);
      if (pair && !pairs.has(other)) this.#fail(pair.key, `${where} has ${one} without ${other}`, "Set both.");
    }
    const plain = pairs.get("plainHttp");
    const overTls = (["ca", "certificate"] as const).find((name) => pairs.has(name));
    const plainHttp = plain && this.#boolean(plain, `${where}.plainHttp`);
    if (plainHttp && overTls) {
      this.#fail(plain.key, `${where} has plainHttp and ${overTls}, which is for TLS`, "Remove one of them.");
    }
    return {
      ...(plainHttp === undefined ? {} : { plainHttp }),
      ...this.#file("authority", pairs.get("ca"), `${where}.ca`),
      ...this.#file("certificate", pairs.get("certificate"), `${where}.certificate`),
      ...this.#file("key", pairs.get("key"), `${where}.key`),
      ...this.#tokenService(pairs.get("tokenService"), `${where}.tokenService`),
    };
  }

  #file<Name extends string>(name: Name, pair: Pair | undefined, where: string): { readonly [K in Name]?: NamedFile } {
    if (!pair) return {};
    const text = this.#string(pair, where);
    const path = text.startsWith("~/") ? join(homedir(), text.slice(2)) : resolve(dirname(this.#path), text);
    return { [name]: { path, where: `${this.#at(pair.value)}: ${where}` } } as { [K in Name]: NamedFile };
  }

  #tokenService(pair: Pair | undefined, where: string): { readonly tokenService?: string } {
    if (!pair) return {};
    const host = this.#string(pair, where);
    if (!isRegistry(host)) {
      this.#fail(pair.value, `${where} is ${JSON.stringify(host)}, which is not a host`, "Write HOST or HOST:PORT.");
    }
    return { tokenService: host };
  }

  #string(pair: Pair, where: string): string {
    const value = this.#scalar(pair.value);
    if (typeof value !== "string" || value === "")
      return this.#fail(pair.value ?? pair.key, `${where} is not a text`, "Write a text.");
    return value;
  }

  #boolean(pair: Pair, where: string): boolean {
    const value = this.#scalar(pair.value);
    if (typeof value !== "boolean")
      return this.#fail(pair.value ?? pair.key, `${where} is neither true nor false`, "Write true or false.");
    return value;
  }

  #scalar(node: unknown): unknown {
    return this.#yaml.isScalar(node) ? node.value : undefined;
  }

  #isEmpty(node: unknown): boolean {
    return node === null || this.#scalar(node) === null;
  }

  #map(node: unknown, what: string): YAMLMap {
    if (!this.#yaml.isMap(node))
      return this.#fail(node, `${what} is not a mapping`, "Write `name: value` lines, indented.");
    return node;
  }

  *#pairs(map: YAMLMap): Generator<[string, Pair]> {
    for (const pair of map.items) {
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
