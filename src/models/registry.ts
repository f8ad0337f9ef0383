import { UserError } from "../core/errors.ts";
import { type Digest, isDigest } from "../oci/digest.ts";
import { isRepository } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/client/client.ts";
import type { WritableRegistry } from "../registry/writable.ts";
import { parseModelManifest } from "./parse.ts";

/** Of the version that was pushed last. */
export const latest = "latest";

interface ModelReference {
  readonly id: string;
  readonly digest?: Digest;
}

export interface ModelPlace {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly id: string;
}

/** By the tag that keeps it. */
export interface ModelVersion {
  readonly tag: string;
  readonly number: number;
  readonly digest: Digest;
}

/** `ID` or `ID@sha256:…`. @throws UserError when it is neither */
export function parseModelReference(text: string): ModelReference {
  const [id = "", digest, ...rest] = text.split("@");
  const isRight = (digest === undefined || isDigest(digest)) && rest.length === 0;
  if (isRepository(id) && isRight) return { id, ...(digest === undefined ? {} : { digest: digest as Digest }) };
  throw new UserError(
    { code: "reference-invalid", culprit: text },
    `${JSON.stringify(text)} is not the ID of a model.`,
    "Write lower-case letters, digits, . _ - and /, or ID@sha256:DIGEST.",
  );
}

/** In the repository `models/ID` of the registry of jobs. */
export function placeOfModel({ client, place }: WritableRegistry, id: string): ModelPlace {
  const repository = place(`models/${id}`);
  if (isRepository(repository)) return { client, repository, id };
  throw new UserError(
    { code: "reference-invalid", culprit: id },
    `The model ID ${JSON.stringify(id)} is too long for a registry.`,
    "Choose a shorter one.",
  );
}

/** So it is found, in order, and no registry collects it. */
export function tagOf(number: number, digest: Digest): string {
  return `v${number}-${digest.replace(/^sha256:/, "")}`;
}

export async function versionsOf({ client, repository }: ModelPlace): Promise<ModelVersion[]> {
  const versions: ModelVersion[] = [];
  for (const tag of await client.listTags(repository)) {
    const [, number, hex] = /^v([1-9]\d{0,8})-([0-9a-f]{64})$/.exec(tag) ?? [];
    if (hex !== undefined) versions.push({ tag, number: Number(number), digest: `sha256:${hex}` });
  }
  return versions.sort((one, other) => one.number - other.number || (one.tag < other.tag ? -1 : 1));
}

/** The named version, else the one that was pushed last. */
export async function resolveModel(place: ModelPlace, digest?: Digest): Promise<Digest> {
  const found = await place.client.getManifest(place.repository, digest ?? latest);
  if (!found) throw absentModel(place, digest);
  parseModelManifest(found.bytes, `${place.client.registry}/${place.repository}`);
  return found.descriptor.digest;
}

export function absentModel({ client, id }: ModelPlace, digest?: Digest): UserError {
  const what = digest === undefined ? `model ${id}` : `version ${digest} of model ${id}`;
  return new UserError(
    { code: "model-not-found", culprit: digest === undefined ? id : `${id}@${digest}` },
    `Registry ${client.registry} has no ${what}.`,
    `\`slipway model ls${digest === undefined ? "" : ` ${id}`}\` lists them; \`slipway model push ${id} FOLDER\` makes one.`,
  );
}
