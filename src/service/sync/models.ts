import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Digest } from "../../oci/digest.ts";
import { UserError } from "../../oci/errors.ts";
import { parseReference, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/client/client.ts";
import { secretsFolder } from "../content.ts";
import { ModelSync } from "./model-sync.ts";
import { registriesFile, registriesOf } from "./registries.ts";
import { Volume } from "./volume.ts";

/**
 * `models --volume=FOLDER --model=HOST/REPOSITORY@sha256:… …`: makes a volume have models, each in its `modelFolder`. All of a model that is there is
 * read and checked; what is missing or damaged comes from its registry, which is not asked where nothing is.
 */
export async function syncModels(args: readonly string[]): Promise<void> {
  const { volume: folder, model: models } = parseArgs({
    args: [...args],
    options: { volume: { type: "string", default: "" }, model: { type: "string", multiple: true, default: [] } },
  }).values;
  const volume = await Volume.open(folder);
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const open = await registriesOf(join(secretsFolder("models"), registriesFile));
  const lock = await volume.lock("models", () => say("Waiting for another pod that brings models into this volume."));
  const clients = new Map<string, RegistryClient>();
  try {
    for (const text of models) {
      const reference = exactly(text);
      const client = clients.get(reference.registry) ?? open(reference.registry);
      clients.set(reference.registry, client);
      await new ModelSync(volume, client, reference, say).run();
    }
  } finally {
    for (const client of clients.values()) client.close();
    lock.release();
  }
}

function exactly(text: string): Reference & { readonly digest: Digest } {
  const { digest, ...reference } = parseReference(text);
  if (digest) return { ...reference, digest };
  throw new UserError(`${text} names no version of a model.`, "Name it by its digest: HOST/REPOSITORY@sha256:….");
}
