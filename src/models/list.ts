import type { Digest } from "../oci/digest.ts";
import { parseImageManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { Unsupported } from "../registry/client/refusal.ts";
import { modelType } from "./model.ts";
import { absentModel, latest, type ModelPlace, type ModelVersion, versionsOf } from "./registry.ts";

export interface ListedVersion extends ModelVersion {
  readonly id: string;
  readonly size: number;
  /** The version that is meant where none is named. */
  readonly isLatest: boolean;
}

/** The first one pushed first; none when there is no such model. */
export async function listVersions(place: ModelPlace): Promise<ListedVersion[]> {
  const { client, repository, id } = place;
  const versions = await versionsOf(place);
  if (versions.length === 0) return [];
  const newest = await client.headManifest(repository, latest);
  const listed = await Promise.all(
    versions.map(async (version): Promise<ListedVersion[]> => {
      const stored = await client.getManifest(repository, version.digest);
      // Some registries keep the tags of what was removed.
      if (!stored) return [];
      const { artifactType, layers } = parseImageManifest(stored.bytes);
      if (artifactType !== modelType) return [];
      const size = layers.reduce((sum, layer) => sum + layer.size, 0);
      return [{ ...version, id, size, isLatest: newest?.digest === version.digest }];
    }),
  );
  return listed.flat();
}

/** Without a digest, all versions. When the newest version goes, the one before it is the newest. */
export async function removeModel(place: ModelPlace, digest?: Digest): Promise<Digest[]> {
  const versions = await listVersions(place);
  const gone = digest === undefined ? versions : versions.filter((version) => version.digest === digest);
  if (gone.length === 0) throw absentModel(place, digest);
  const last = gone.find(({ isLatest }) => isLatest);
  const before = versions.findLast((version) => !gone.includes(version));
  if (last && before) await setLatest(place, before.digest);
  try {
    for (const version of gone) await place.client.deleteManifest(place.repository, version.digest);
  } catch (error) {
    if (error instanceof Unsupported && last && before) await setLatest(place, last.digest);
    throw error;
  }
  return gone.map((version) => version.digest);
}

async function setLatest(place: ModelPlace, digest: Digest): Promise<void> {
  const { client, repository } = place;
  const stored = await client.getManifest(repository, digest);
  if (!stored) throw absentModel(place, digest);
  await client.putManifest(repository, latest, stored.bytes, mediaTypes.manifest);
}
