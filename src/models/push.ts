import { Readable } from "node:stream";
import { UserError } from "../core/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { maximumManifestSize, parseImageManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import {
  type BlobToPush,
  type ImageContent,
  type ImageOutcome,
  type PushEvent,
  pushImages,
} from "../registry/client/push.ts";
import { composeModel, type ModelFile, modelType, type PackContent } from "./model.ts";
import { divide } from "./packs.ts";
import { latest, type ModelPlace, tagOf, versionsOf } from "./registry.ts";
import { checkUnchanged, digestFiles, digestPack, type LocalFile, readFiles, scanFolder } from "./scan.ts";

interface PushModelOptions {
  readonly folder: string;
  readonly name: string;
  readonly onEvent?: (event: PushEvent) => void;
  /** Told before files are read for their digests. */
  readonly onRead?: (files: number, bytes: number) => void;
}

export interface PushedModel {
  readonly digest: Digest;
  readonly outcome: ImageOutcome;
  readonly files: number;
  readonly size: number;
}

type PushedFile = LocalFile & ModelFile;

/** Does not send files of the version before. The manifest comes last, so that a version is whole. */
export async function pushModel(place: ModelPlace, options: PushModelOptions): Promise<PushedModel> {
  const { folder, name } = options;
  const found = await scanFolder(folder, name);
  const size = found.reduce((sum, file) => sum + file.size, 0);
  options.onRead?.(found.length, size);
  const files = await digestFiles(found);
  const { singles, packs } = divide(files);
  const packed: (PackContent & { readonly files: readonly PushedFile[] })[] = [];
  for (const inside of packs) packed.push({ ...(await digestPack(inside)), files: inside });
  // Files read at different times may be parts of different states.
  await checkUnchanged(found, name);

  const { manifest, config, digest } = composeModel(singles, packed);
  if (manifest.length > maximumManifestSize) {
    throw new UserError(
      { code: "model-invalid", culprit: name },
      `${name} has ${singles.length} large files, more than a registry accepts in one model.`,
      "Put some of them into archives.",
    );
  }
  const documents: ImageContent = {
    manifest: { bytes: manifest, mediaType: mediaTypes.manifest },
    blobs: [
      {
        descriptor: parseImageManifest(manifest).config,
        open: (start, end) => Readable.from([config.subarray(start, end)], { objectMode: false }),
      },
      ...singles.map((file) => blobOf(file, [file])),
      ...packed.map((pack) => blobOf(pack, pack.files)),
    ],
  };
  const outcome = await send(place, digest, documents, options.onEvent).catch(async (error) => {
    await checkUnchanged(found, name);
    throw error;
  });
  return { digest, outcome, files: files.length, size };
}

async function send(
  place: ModelPlace,
  digest: Digest,
  { manifest, blobs }: ImageContent,
  onEvent: PushModelOptions["onEvent"],
): Promise<ImageOutcome> {
  const { client, repository } = place;
  const versions = await versionsOf(place);
  const known = versions.find((version) => version.digest === digest);
  const tags = [known?.tag ?? tagOf((versions.at(-1)?.number ?? 0) + 1, digest), latest];
  const read = async () => {
    const before = await blobsOfLatest(place);
    return { manifest, blobs: blobs.filter(({ descriptor }) => !before.has(descriptor.digest)) };
  };
  const events = onEvent ? { onEvent } : {};
  const [outcome = "unchanged"] = await pushImages([{ client, repository, tags, digest, read }], {
    check: "tags",
    ...events,
  });
  return outcome;
}

/** A registry keeps what its manifests name. */
async function blobsOfLatest({ client, repository }: ModelPlace): Promise<ReadonlySet<Digest>> {
  const stored = await client.getManifest(repository, latest);
  if (!stored) return new Set();
  const { artifactType, layers } = parseImageManifest(stored.bytes);
  return new Set(artifactType === modelType ? layers.map(({ digest }) => digest) : []);
}

function blobOf({ digest, size }: Pick<ModelFile, "digest" | "size">, files: readonly LocalFile[]): BlobToPush {
  return {
    descriptor: { digest, size },
    open: (start, end) => Readable.from(readFiles(files, start, end), { objectMode: false }),
  };
}
