import type { InstanceType } from "../../config/resources.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
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

/**
 * Digests of values. For a secret, a digest of its name and version: a digest of its value could be
 * guessed.
 */
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
