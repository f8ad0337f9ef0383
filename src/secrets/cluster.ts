import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { deleteIfFound, ifFound } from "../kubernetes/if-found.ts";
import { managedBy, ownSelector, type Secret } from "../kubernetes/objects.ts";
import { retryConflict } from "../kubernetes/retry-conflict.ts";
import { listAll } from "../kubernetes/watch.ts";
import { sha256 } from "../oci/digest.ts";
import { LocalSecrets } from "./local.ts";
import { type KeptSecret, requireAll, type SecretStore, secretKey } from "./secrets.ts";
import type { FoundSecret, VariableStore } from "./variables.ts";

/** The name of a secret that `slipway secret set` has stored. */
const secretLabel = "slipway/secret";
const setAnnotation = "slipway/set";

/** Responses have no values. */
const metadataOnly = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const metadataOfAll = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

type Known = Pick<Secret, "metadata">;

/** The name of a secret's Secret. A hash stands for characters that Kubernetes refuses: `a_b` differs from `a-b`. */
export function secretObjectName(name: string): string {
  const part = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  if (new RegExp(`^${part}(\\.${part})*$`).test(name)) return name;
  const [, hash = ""] = sha256(Buffer.from(name)).split(":");
  return `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-${hash.slice(0, 8)}`;
}

/** Secrets in a namespace. Changes no one else's Secret, and reads one only for a variable that names it. */
export class ClusterSecrets implements SecretStore {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  get place(): string {
    const { namespace, context } = this.#cluster;
    return `namespace ${namespace} of cluster ${context}`;
  }

  async set(name: string, value: Buffer): Promise<void> {
    const { api } = this.#cluster;
    const annotations = { [setAnnotation]: new Date().toISOString() };
    const data = { [secretKey]: value.toString("base64") };
    // Someone may create, change or remove it at the same time.
    const write = async () => {
      const before = await this.#find(name);
      if (before === undefined) {
        const metadata = { name: secretObjectName(name), labels: { ...managedBy, [secretLabel]: name }, annotations };
        const body = { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data };
        await api.ask("POST", this.#path(), { body, accept: metadataOnly });
      } else {
        const { uid, resourceVersion } = before.metadata;
        await api.ask("PATCH", this.#path(name), {
          body: { metadata: { uid, resourceVersion, annotations }, data },
          accept: metadataOnly,
        });
      }
    };
    await retryConflict(write, 5, [404, 409]);
  }

  async list(): Promise<readonly KeptSecret[]> {
    const { api } = this.#cluster;
    const { items } = await listAll<Known>(api, {
      path: this.#path(),
      labelSelector: `${ownSelector()},${secretLabel}`,
      accept: metadataOfAll,
    });
    return items
      .map(({ metadata }) => ({
        name: metadata.labels?.[secretLabel] ?? "",
        place: `Secret ${metadata.name} in ${this.place}`,
        set: metadata.annotations?.[setAnnotation] ?? metadata.creationTimestamp,
      }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  async remove(names: readonly string[]): Promise<void> {
    const found = await Promise.all(names.map((name) => this.#find(name)));
    const known = names.filter((_, index) => found[index] !== undefined);
    requireAll(names, known, this.place);
    for (const [index, name] of names.entries()) {
      const preconditions = { uid: found[index]?.metadata.uid };
      await deleteIfFound(this.#cluster.api, this.#path(name), { preconditions });
    }
  }

  async has(name: string): Promise<boolean> {
    return (await this.#find(name)) !== undefined;
  }

  async value(name: string): Promise<Buffer | undefined> {
    if (!(await this.has(name))) return undefined;
    const { data } = await this.#cluster.api.ask<Secret>("GET", this.#path(name));
    const value = data?.[secretKey];
    return value === undefined ? undefined : Buffer.from(value, "base64");
  }

  setCommand(name: string): string {
    return `slipway secret set ${name} --engine kubernetes`;
  }

  /** Finds a secret of `slipway secret`, else a Secret of that name. Their values stay in the cluster. */
  async variable(name: string): Promise<FoundSecret | undefined> {
    const found = await this.#metadata(name);
    if (found === undefined) return undefined;
    const { metadata } = found;
    const { resourceVersion, labels, annotations } = metadata;
    if (labels?.[secretLabel] === name) {
      const version = annotations?.[setAnnotation] ?? resourceVersion;
      return { reference: { name: metadata.name, key: secretKey }, version };
    }
    // The metadata does not have the keys.
    const secret = await ifFound(this.#cluster.api.ask<Secret>("GET", this.#path(name)));
    if (secret === undefined) return undefined;
    const keys = Object.keys(secret.data ?? {});
    const key = keys.includes(secretKey) || keys.length !== 1 ? secretKey : keys[0];
    if (key !== undefined && keys.includes(key))
      return { reference: { name: metadata.name, key }, version: resourceVersion };
    throw new UserError(
      { code: "credential-invalid", culprit: `SECRET:${name}` },
      `The Secret ${metadata.name} in ${this.place} has ${keys.length} keys, none of them \`${secretKey}\`.`,
      `Add the key \`${secretKey}\` to it, or make a Secret with only the key that you need.`,
    );
  }

  async #find(name: string): Promise<Known | undefined> {
    const found = await this.#metadata(name);
    if (found === undefined || found.metadata.labels?.[secretLabel] === name) return found;
    throw new UserError(
      { code: "service-conflict", culprit: `Secret ${found.metadata.name}` },
      `The Secret ${found.metadata.name} in ${this.place} is not the secret ${name} of Slipway (its labels are missing).`,
      "Give the secret another name, or delete that object if nobody needs it.",
    );
  }

  #metadata(name: string): Promise<Known | undefined> {
    return ifFound(this.#cluster.api.ask<Known>("GET", this.#path(name), { accept: metadataOnly }));
  }

  #path(name?: string): string {
    const all = `/api/v1/namespaces/${this.#cluster.namespace}/secrets`;
    return name === undefined ? all : `${all}/${secretObjectName(name)}`;
  }
}

/** The stores for variables of pods. This machine may have what the cluster lacks. */
export function secretStores(cluster: Cluster, env: Environment): readonly VariableStore[] {
  return [new ClusterSecrets(cluster), new LocalSecrets(env)];
}
