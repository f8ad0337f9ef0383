import type { InstanceType } from "../../config/resources.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import type { Content } from "../content.ts";
import type { HealthChecks, Service } from "../model.ts";

/** A folder of a named volume, mounted into a container. Its content never changes. */
export interface VolumeFolder {
  readonly volume: string;
  readonly folder: string;
  readonly path: string;
}

/** Everything that defines a container. Others can read it, so it has only digests of variables' values. */
export interface Facts {
  /** A digest, or the ID of an image that only this machine has. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly ports: readonly number[];
  readonly env: Readonly<Record<string, string>>;
  readonly resources: { readonly cpu?: number; readonly memory?: number; readonly gpu?: number };
  readonly healthChecks: HealthChecks;
  /** `VOLUME/FOLDER` by path in the container. */
  readonly folders: Readonly<Record<string, string>>;
}

/** @param image the exact image that `service.image` stands for */
export function factsOf(
  service: Service,
  image: string,
  type: InstanceType | undefined,
  contents: readonly VolumeFolder[],
): Facts {
  const { command, ports, healthChecks } = service;
  return {
    image,
    ...(command === undefined ? {} : { command }),
    ports,
    env: variablesOf(service),
    resources: type === undefined ? {} : { cpu: type.cpu, memory: type.memory, gpu: type.gpu },
    healthChecks,
    folders: Object.fromEntries(contents.map(({ path, volume, folder }) => [path, `${volume}/${folder}`])),
  };
}

/** Of a secret, a digest of its name and version: one of its value could be guessed. */
export function variablesOf({ env, secrets = {} }: Service): Facts["env"] {
  return Object.fromEntries(env.map(({ name, value }) => [name, sha256(`${value}${secrets[name]?.version ?? ""}`)]));
}

export function hashOf(facts: Facts): string {
  const [, hash = ""] = sha256(canonicalJson(facts)).split(":");
  return hash.slice(0, 10);
}

/** The ports of the service, and those of its health checks. */
export function publishedPorts({ ports, healthChecks }: Pick<Service, "ports" | "healthChecks">): readonly number[] {
  const asked = Object.values(healthChecks).flatMap((check) => check?.port ?? []);
  return [...new Set([...ports, ...asked])];
}

export interface Meaning {
  readonly service: Service;
  readonly facts: Facts;
  readonly contents: readonly Content[];
}

export const serviceLabel = "slipway/service";

const replicaLabel = "slipway/replica";
const hashLabel = "slipway/hash";
const factsLabel = "slipway/facts";

/** A part of a label's value. Lines of a label file may have 64 KiB, and a character up to four bytes. */
const part = /.{1,15000}/gsu;

export interface Labelled {
  readonly service: string;
  readonly replica: number;
  readonly hash: string;
  readonly facts: Facts;
}

/** Lines for `--label-file`. JSON has no line breaks. */
export function labelFile({ service, replica, hash, facts }: Labelled): string {
  const parts = JSON.stringify(facts).match(part) ?? [];
  const labels = {
    "app.kubernetes.io/managed-by": "slipway",
    [serviceLabel]: service,
    [replicaLabel]: replica,
    [hashLabel]: hash,
    ...Object.fromEntries(parts.map((text, index) => [partLabel(index), text])),
  };
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function partLabel(index: number): string {
  return index === 0 ? factsLabel : `${factsLabel}.${index}`;
}

/** Undefined: somebody else wrote the labels. */
export function readLabels(labels: Readonly<Record<string, string>>): Labelled | undefined {
  const service = labels[serviceLabel];
  const replica = Number(labels[replicaLabel] ?? Number.NaN);
  const hash = labels[hashLabel];
  if (service === undefined || hash === undefined || !Number.isInteger(replica)) return undefined;
  let text = "";
  for (let index = 0; labels[partLabel(index)] !== undefined; index += 1) text += labels[partLabel(index)];
  try {
    return { service, replica, hash, facts: JSON.parse(text) as Facts };
  } catch {
    return undefined;
  }
}

export function replicaName({ service, replica }: Pick<Labelled, "service" | "replica">): string {
  return `${service}-${replica}`;
}

/** Has a hash of the facts, so that a container can exist beside its predecessor. */
export function containerNameOf(labelled: Pick<Labelled, "service" | "replica" | "hash">): string {
  return `slipway-${replicaName(labelled)}-${labelled.hash}`;
}
