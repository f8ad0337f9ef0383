import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { readConfiguration } from "../config/configuration.ts";
import type { Document } from "../config/document.ts";
import { type InstanceTypes, instanceTypesIn } from "../config/instance-types.ts";
import { issuesOf } from "../config/mistakes.ts";
import { checked, referenceIn, strictFields } from "../config/schema-words.ts";
import type { Environment } from "../core/environment.ts";

/** The user's settings for services. */
export interface ServiceSettings {
  /** The built-in ones, overridden by those of the configuration file. */
  readonly instanceTypes: InstanceTypes;
  /** The sync image, by digest. Undefined: the one that belongs to this command line. */
  readonly syncImage?: string;
  /** The volume claim for models. Undefined: each pod has its own. */
  readonly modelsClaim?: string;
  /** Certificates (PEM) of authorities for git servers, besides the public ones. */
  readonly authorities?: string;
}

const syncImage = checked(z.string(), (value) =>
  referenceIn(value)?.digest !== undefined
    ? undefined
    : ["is not an image with a digest", "Write REGISTRY/REPOSITORY@sha256:DIGEST."],
);

const claim = checked(z.string(), (value) =>
  /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(value)
    ? undefined
    : [
        "is not the name of a volume claim",
        "Write lower-case letters, digits, - and ., a letter or digit first and last.",
      ],
);

const configuration = z.object({
  services: strictFields(
    "a setting of services",
    {
      syncImage: syncImage.optional(),
      models: strictFields("a setting of models", { claim: claim.optional() }).default({}),
      authorities: z.string().min(1).optional(),
    },
    { instanceTypes: "Move it to the left margin of the file: it is a section beside `services`." },
  ).default({ models: {} }),
});

/** Reads `services` and `instanceTypes` of the user's configuration file. */
export async function readServiceSettings(env: Environment = process.env): Promise<ServiceSettings> {
  const { path, document } = await readConfiguration(env);
  const instanceTypes = instanceTypesIn(document);
  const parsed = configuration.safeParse(document.value ?? {});
  if (!parsed.success) throw document.error(issuesOf(parsed.error.issues, document.value));
  const { syncImage: image, models, authorities } = parsed.data.services;
  return {
    instanceTypes,
    ...(image === undefined ? {} : { syncImage: image }),
    ...(models.claim === undefined ? {} : { modelsClaim: models.claim }),
    ...(authorities === undefined ? {} : { authorities: await readAuthorities(authorities, path, document) }),
  };
}

/** The authorities are a part of each pod's description. */
const maximumAuthorities = 64 * 1024;

async function readAuthorities(name: string, path: string, document: Document): Promise<string> {
  const file = name.startsWith("~/") ? join(homedir(), name.slice(2)) : resolve(dirname(path), name);
  const fail = (problem: string, remedy: string) =>
    document.error([{ path: ["services", "authorities"], problem: `names ${file}, which ${problem}`, remedy }]);
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw fail(`cannot be read (${cause.code})`, "Name a file with certificates that you can read.");
  });
  if (/PRIVATE KEY/.test(text)) throw fail("contains a private key", "Name a file with only certificates.");
  if (!/-----BEGIN CERTIFICATE-----/.test(text)) throw fail("contains no certificate", "Name a file in PEM.");
  if (text.length <= maximumAuthorities) return text;
  throw fail(`has more than ${maximumAuthorities} bytes`, "Remove the public authorities: Slipway adds them.");
}
