import { readFile } from "node:fs/promises";
import { readConfig } from "../config/config-file.ts";
import { type InstanceTypes, readInstanceTypes } from "../config/instance-types.ts";
import type { NamedFile } from "../config/shape.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";

export interface ServiceSettings {
  /** The built-in ones, overridden by those of the configuration file. */
  readonly instanceTypes: InstanceTypes;
  /** The sync image, by digest. Undefined: the one that belongs to this command line. */
  readonly syncImage?: string;
  readonly modelsClaim?: string;
  /** Certificates (PEM) of authorities for git servers, besides the public ones. */
  readonly authorities?: string;
}

export async function readServiceSettings(env: Environment = process.env): Promise<ServiceSettings> {
  const { services: { syncImage, models, authorities } = {} } = await readConfig(env);
  return {
    instanceTypes: await readInstanceTypes(env),
    ...(syncImage === undefined ? {} : { syncImage }),
    ...(models?.claim === undefined ? {} : { modelsClaim: models.claim }),
    ...(authorities === undefined ? {} : { authorities: await readAuthorities(authorities) }),
  };
}

/** The authorities are a part of each pod's description. */
const maximumAuthorities = 64 * 1024;

async function readAuthorities({ path, at, where }: NamedFile): Promise<string> {
  const fail = (problem: string, remedy: string) =>
    new UserError({ code: "field-invalid", culprit: at }, `${where} names ${path}, which ${problem}.`, remedy);
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw fail(`cannot be read (${cause.code})`, "Name a file with certificates that you can read.");
  });
  if (/PRIVATE KEY/.test(text)) throw fail("contains a private key", "Name a file with only certificates.");
  if (!/-----BEGIN CERTIFICATE-----/.test(text)) throw fail("contains no certificate", "Name a file in PEM.");
  if (text.length <= maximumAuthorities) return text;
  throw fail(`has more than ${maximumAuthorities} bytes`, "Remove the public authorities: Slipway adds them.");
}
