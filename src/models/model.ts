import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { canonicalJson } from "../oci/json.ts";
import type { ImageManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import { comparePaths } from "./paths.ts";

/**
 * A model in a registry is an OCI artifact (image specification 1.1, "Guidelines for Artifact Usage"):
 *
 * - `artifactType` says that it is a model.
 * - Each file is a layer of its own, with its path in `org.opencontainers.image.title`, as ORAS has it. So a new
 *   version moves the files that
 *   changed, and a registry keeps files once that several versions have.
 * - Where there are thousands of small files, a request for each would take longer than their bytes: then small files
 *   go into packs, which
 *   are their contents one after the other. What is in packs is listed in the configuration, which otherwise is the
 * empty descriptor.
 */
export const modelType = "application/vnd.slipway.model.v1";
export const fileType = "application/octet-stream";
export const packType = "application/vnd.slipway.model.pack.v1";
export const tableType = "application/vnd.slipway.model.packs.v1+json";

export const titleKey = "org.opencontainers.image.title";
export const executableKey = "slipway.executable";

export interface ModelFile {
  /** Relative, `/` between names: see `pathProblem`. */
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
  /** By its owner; no other mode is kept. */
  readonly isExecutable: boolean;
}

export interface StoredFile extends ModelFile {
  /** Undefined: the blob with the file's own digest is the file. */
  readonly pack?: Pack;
  /** In the pack. */
  readonly offset: number;
}

export interface Pack {
  readonly digest: Digest;
  readonly size: number;
}

export interface Model {
  /** In the order of their paths. */
  readonly files: readonly StoredFile[];
  readonly size: number;
}

/** In order. */
export interface PackContent extends Pack {
  readonly files: readonly ModelFile[];
}

interface ModelDocuments {
  readonly manifest: Uint8Array<ArrayBuffer>;
  readonly config: Uint8Array<ArrayBuffer>;
  /** Of the manifest: the version. */
  readonly digest: Digest;
}

/** The same files give the same bytes. */
export function composeModel(singles: readonly ModelFile[], packs: readonly PackContent[]): ModelDocuments {
  const table = packs.map(({ digest, files }) => ({
    digest,
    files: files.map(({ path, digest: content, size, isExecutable }) => ({
      path,
      digest: content,
      size,
      ...(isExecutable ? { executable: true } : {}),
    })),
  }));
  const config = canonicalJson(packs.length === 0 ? {} : { packs: table });
  const layers: Descriptor[] = [
    ...singles.toSorted((one, other) => comparePaths(one.path, other.path)).map(layerOf),
    ...packs.map(({ digest, size }) => ({ mediaType: packType, digest, size })),
  ];
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: modelType,
    config: {
      mediaType: packs.length === 0 ? mediaTypes.empty : tableType,
      digest: sha256(config),
      size: config.length,
    },
    layers,
  };
  const bytes = canonicalJson(manifest);
  return { manifest: bytes, config, digest: sha256(bytes) };
}

function layerOf({ path, digest, size, isExecutable }: ModelFile): Descriptor {
  const annotations = { [titleKey]: path, ...(isExecutable ? { [executableKey]: "true" } : {}) };
  return { mediaType: fileType, digest, size, annotations };
}
