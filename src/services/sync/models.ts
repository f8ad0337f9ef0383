import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { resolveModel } from "../../models/registry.ts";
import { parseReference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/client/client.ts";
import { modelFolder, secretsFolder } from "../content.ts";
import { ModelSync, removeModel } from "./model-sync.ts";
import { registriesFile, registriesOf } from "./registries.ts";
import { Uses } from "./uses.ts";
import { Volume } from "./volume.ts";

/**
 * `models --volume=FOLDER --model=HOST/REPOSITORY@sha256:… …` checks all files of the models in a volume
 * and fetches missing or damaged ones. Without a digest it takes the newest version and links to it. With
 * `--service=NAME` it removes versions that this service used, once no service has used them for a week.
 */
export async function syncModels(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      volume: { type: "string", default: "" },
      model: { type: "string", multiple: true, default: [] },
      service: { type: "string" },
    },
  });
  const { volume: folder, model: models, service } = values;
  const volume = await Volume.open(folder);
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const open = await registriesOf(join(secretsFolder("models"), registriesFile));
  const lock = await volume.lock("models", "Waiting for another pod that brings models into this volume", say);
  const clients = new Map<string, RegistryClient>();
  const folders: string[] = [];
  try {
    for (const text of models) {
      const { tag: _tag, ...named } = parseReference(text);
      const client = clients.get(named.registry) ?? open(named.registry);
      clients.set(named.registry, client);
      const { registry, repository } = named;
      const place = { client, repository, id: repository };
      const reference = { registry, repository, digest: named.digest ?? (await resolveModel(place)) };
      await new ModelSync(volume, client, reference, say).run();
      if (named.digest === undefined) await volume.link(modelFolder(named), modelFolder(reference));
      folders.push(modelFolder(reference));
    }
    if (service !== undefined) {
      const uses = new Uses(volume, "models");
      await uses.note(service, folders);
      await uses.prune((unused) => removeModel(volume, unused), say);
    }
  } finally {
    for (const client of clients.values()) client.close();
    lock.release();
  }
}
