import { emptyDescriptor } from "../oci/artifact.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { canonicalJson } from "../oci/json.ts";
import { type ImageManifest, parseImageManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { type ResultScope, scopeKey } from "./key.ts";
import { maximumPack } from "./pack.ts";

/**
 * The results of one function in one run of a program are one artifact (image specification 1.1, "Guidelines for
 * Artifact Usage"): an empty
 * configuration, and packs as layers.
 *
 * Registries cannot compare and swap, and the fallback of the referrers API (distribution specification 1.1,
 * "Referrers Tag Schema") loses
 * an entry when two clients write at once. So each run has a tag of its own, which nobody else writes:
 *
 * - A writer pushes a pack, and then moves its tag to a manifest with the pack ("Pushing Manifests"). A writer that is
 *   killed between the
 *   two leaves its tag as it was.
 * - A reader lists the tags ("Listing Tags") and reads those of its scope. Two runs may keep the same result; either
 *   is right.
 */
export const resultsType = "application/vnd.slipway.results.v1";
export const packType = "application/vnd.slipway.results.pack.v1";

const functionKey = "slipway.results.function";
const versionKey = "slipway.results.version";
const runKey = "slipway.results.run";
const itemsKey = "slipway.results.items";
const createdKey = "org.opencontainers.image.created";

export interface StoredPack {
  readonly descriptor: Descriptor;
  readonly items: number;
}

export interface StoredRun {
  readonly scope: ResultScope;
  readonly packs: readonly StoredPack[];
  readonly stored: Date;
}

/** `id`: 16 hex digits, drawn by the run. */
export function tagOfRun(scope: ResultScope, id: string): string {
  return `results-${scopeKey(scope)}-${id}`;
}

/** Undefined: not a tag of results. */
export function scopeOfTag(tag: string): string | undefined {
  return /^results-([0-9a-f]{32})-[0-9a-f]{16}$/.exec(tag)?.[1];
}

export function composeRun(tag: string, { scope, packs, stored }: StoredRun): Uint8Array<ArrayBuffer> {
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: resultsType,
    config: emptyDescriptor,
    layers: packs.map(({ descriptor: { digest, size }, items }) => ({
      mediaType: packType,
      digest,
      size,
      annotations: { [itemsKey]: String(items) },
    })),
    // The run makes it differ from all others: registries delete by digest.
    annotations: {
      [functionKey]: scope.function,
      [versionKey]: scope.version,
      [runKey]: tag,
      [createdKey]: stored.toISOString(),
    },
  };
  return canonicalJson(manifest);
}

/** Trusts nobody. Returns the run, or what is wrong with it. */
export function parseRun(tag: string, bytes: Uint8Array): StoredRun | string {
  let manifest: ImageManifest;
  try {
    manifest = parseImageManifest(bytes, { document: tag });
  } catch {
    return "is not an artifact";
  }
  const { artifactType, layers, annotations = {} } = manifest;
  if (artifactType !== resultsType) return "is not an artifact of results";
  const scope = { function: annotations[functionKey] ?? "", version: annotations[versionKey] ?? "" };
  if (scopeOfTag(tag) !== scopeKey(scope) || annotations[runKey] !== tag) return "is of another function or run";
  const stored = new Date(annotations[createdKey] ?? "");
  if (Number.isNaN(stored.getTime())) return "has no date";
  const packs: StoredPack[] = [];
  for (const descriptor of layers) {
    if (descriptor.mediaType !== packType) return `has a layer of type ${JSON.stringify(descriptor.mediaType)}`;
    if (descriptor.size > maximumPack) return `has a pack of ${descriptor.size} bytes, more than ${maximumPack}`;
    const items = Number(descriptor.annotations?.[itemsKey]);
    if (!Number.isSafeInteger(items) || items < 0) return "has a pack without a number of results";
    packs.push({ descriptor, items });
  }
  return { scope, packs, stored };
}
