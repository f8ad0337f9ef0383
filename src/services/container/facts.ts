import type { InstanceType } from "../../config/resources.ts";
import { sha256 } from "../../oci/digest.ts";
import { canonicalJson } from "../../oci/json.ts";
import type { HealthChecks, Service } from "../model.ts";

/** The source of a container's folder: a folder of a named volume, which never changes. */
export interface VolumeFolder {
  readonly volume: string;
  /** Below the volume's root. */
  readonly folder: string;
  /** In the container. */
  readonly path: string;
}

/** All that makes a container of a service what it is, in words that may be read by others: values of variables are there by their digests alone. */
export interface Facts {
  /** By digest, or the id of an image that this machine alone has. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly ports: readonly number[];
  readonly env: Readonly<Record<string, string>>;
  readonly resources: { readonly cpu?: number; readonly memory?: number; readonly gpu?: number };
  readonly healthChecks: HealthChecks;
  /** `VOLUME/FOLDER` by path in the container. */
  readonly folders: Readonly<Record<string, string>>;
}

/** @param image what `service.image` is now, exactly */
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

/** Digests of values. That of a secret is of its name and version: a digest of the secret could be found again by trying. */
export function variablesOf({ env, secrets = {} }: Service): Facts["env"] {
  return Object.fromEntries(env.map(({ name, value }) => [name, sha256(`${value}${secrets[name]?.version ?? ""}`)]));
}

/** Ten characters that are the same for the same facts. */
export function hashOf(facts: Facts): string {
  const [, hash = ""] = sha256(canonicalJson(facts)).split(":");
  return hash.slice(0, 10);
}

/** The ports of a container that are published: those of the service, and those that health checks ask. */
export function publishedPorts({ ports, healthChecks }: Pick<Service, "ports" | "healthChecks">): readonly number[] {
  const asked = Object.values(healthChecks).flatMap((check) => check?.port ?? []);
  return [...new Set([...ports, ...asked])];
}
