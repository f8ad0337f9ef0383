import process from "node:process";
import { formatBytes } from "../../config/quantity.ts";
import { UserError } from "../../core/errors.ts";
import { type ListedVersion, listVersions, removeModel } from "../../models/list.ts";
import { absentModel, type ModelPlace, parseModelReference, placeOfModel } from "../../models/registry.ts";
import { openWritable, type WritableRegistry } from "../../registry/writable.ts";
import { runningRegistry } from "../../registry-server/running.ts";
import { command } from "../command.ts";
import { json, required, text } from "./options.ts";
import { printJson } from "./output.ts";
import { listedRepositories } from "./registry-store.ts";

export const ls = command({ id: text("Model ID. Default: all models"), json }, async ({ id, json }) => {
  using registry = await openWritable({ embedded: runningRegistry });
  const versions = id === undefined ? await newestOfAll(registry) : await versionsOfOne(registry, id);
  if (json) return printJson(versions.map(({ isLatest, tag: _, ...version }) => ({ ...version, latest: isLatest })));
  for (const { id: model, digest, size, isLatest } of versions) {
    const mark = isLatest && id !== undefined ? "  latest" : "";
    process.stdout.write(`${model}@${digest}  ${formatBytes(size)}${mark}\n`);
  }
  if (versions.length === 0) process.stderr.write(`Registry ${registry.host} has no models.\n`);
});

const model = required("Model ID, or ID@sha256:… for one version");

export const rm = command({ model }, async ({ model }) => {
  const { id, digest } = parseModelReference(model);
  using registry = await openWritable({ embedded: runningRegistry });
  const removed = await removeModel(placeOfModel(registry, id), digest);
  for (const each of removed) process.stdout.write(`${id}@${each}\n`);
});

async function versionsOfOne(registry: WritableRegistry, text: string): Promise<readonly ListedVersion[]> {
  const { id, digest } = parseModelReference(text);
  const place: ModelPlace = placeOfModel(registry, id);
  const versions = await listVersions(place);
  const wanted = digest === undefined ? versions : versions.filter((version) => version.digest === digest);
  if (wanted.length === 0) throw absentModel(place, digest);
  return wanted;
}

async function newestOfAll(registry: WritableRegistry): Promise<readonly ListedVersion[]> {
  const found: ListedVersion[] = [];
  const prefix = registry.place("models/");
  for (const repository of await repositories(registry)) {
    if (!repository.startsWith(prefix)) continue;
    const versions = await listVersions(placeOfModel(registry, repository.slice(prefix.length)));
    found.push(...versions.filter(({ isLatest }) => isLatest));
  }
  return found;
}

async function repositories({ client, host }: WritableRegistry): Promise<readonly string[]> {
  if (!process.env["SLIPWAY_REGISTRY"]) return listedRepositories();
  const listed = await client.listRepositories();
  if (listed) return listed.toSorted();
  throw new UserError(
    { code: "registry-unsupported", culprit: host },
    `Registry ${host} does not list its repositories.`,
    "Name a model: `slipway model ls ID`.",
  );
}
