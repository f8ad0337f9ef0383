import { UserError } from "../core/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, sha256, splitDigest } from "../oci/digest.ts";
import { type JsonNode, parseJson } from "../oci/json.ts";
import { type ImageManifest, parseImageManifest } from "../oci/manifest.ts";
import { mediaTypes } from "../oci/media-types.ts";
import {
  executableKey,
  fileType,
  type Model,
  modelType,
  type Pack,
  packType,
  type StoredFile,
  tableType,
  titleKey,
} from "./model.ts";
import { comparePaths, PathSet, pathProblem } from "./paths.ts";

export const maximumFiles = 200_000;
/** Bytes of the list of packed files. */
const maximumTable = 64 * 1024 * 1024;
/** Bytes: it is fetched whole for one file. */
const maximumPack = 16 * 1024 * 1024;

const remedy = "Push the model again with `slipway model push`; if somebody else made it, do not use it.";

/** Without its content: {@link parseModel} needs its configuration. */
export function parseModelManifest(bytes: Uint8Array, document: string): ImageManifest {
  const manifest = parseImageManifest(bytes, { document });
  const { artifactType, config } = manifest;
  if (artifactType !== modelType) {
    const what = artifactType ?? config.mediaType;
    throw new UserError(
      { code: "model-invalid", culprit: document },
      `${document} is not a model; it is ${JSON.stringify(what)}.`,
      "Name a model that `slipway model ls` lists.",
    );
  }
  if (config.size > maximumTable) {
    throw invalid(document, `has a list of packs of ${config.size} bytes, more than ${maximumTable}`);
  }
  return manifest;
}

/** Every path stays in the model's folder, none is in another's way, and sizes add up, whoever made the model. */
export function parseModel(manifest: ImageManifest, config: Uint8Array, document: string): Model {
  return new Reader(document).read(manifest, config);
}

class Reader {
  readonly #document: string;
  readonly #paths = new PathSet();
  readonly #files: StoredFile[] = [];
  #size = 0;

  constructor(document: string) {
    this.#document = document;
  }

  read({ config: descriptor, layers }: ImageManifest, config: Uint8Array): Model {
    if (config.length !== descriptor.size || sha256(config) !== descriptor.digest) {
      throw this.#error("has another configuration than its manifest names");
    }
    const packs = this.#packs(layers);
    for (const layer of layers) {
      if (layer.mediaType === packType) continue;
      if (layer.mediaType !== fileType)
        throw this.#error(`is a layer of type ${JSON.stringify(layer.mediaType)}`, layer.digest);
      this.#add(this.#single(layer));
    }
    const { mediaType } = descriptor;
    if (mediaType === tableType) {
      const document = `List of packs of ${this.#document}`;
      this.#table(parseJson(config, document, remedy, { code: "model-invalid" }), packs);
    } else if (mediaType !== mediaTypes.empty)
      throw this.#error(`has a configuration of type ${JSON.stringify(mediaType)}`);
    for (const digest of packs.keys()) throw this.#error("is a pack whose files are not listed", digest);
    if (this.#files.length === 0) throw this.#error("has no files");
    this.#files.sort((one, other) => comparePaths(one.path, other.path));
    return { files: this.#files, size: this.#size };
  }

  #packs(layers: readonly Descriptor[]): Map<Digest, Pack> {
    const packs = new Map<Digest, Pack>();
    for (const { mediaType, digest, size } of layers) {
      if (mediaType !== packType) continue;
      if (packs.has(digest)) throw this.#error("is a pack that is listed twice", digest);
      if (size > maximumPack) throw this.#error(`is a pack of ${size} bytes, more than ${maximumPack}`, digest);
      packs.set(this.#checkedDigest(digest, digest), { digest, size });
    }
    return packs;
  }

  #single({ digest, size, annotations = {} }: Descriptor): StoredFile {
    const path = annotations[titleKey];
    if (path === undefined) throw this.#error(`is a file without ${titleKey}`, digest);
    return {
      path,
      digest: this.#checkedDigest(digest, path),
      size,
      isExecutable: annotations[executableKey] === "true",
      offset: 0,
    };
  }

  /** Takes those packs out of `packs` that it lists. */
  #table(table: JsonNode, packs: Map<Digest, Pack>): void {
    for (const entry of table.get("packs").items()) {
      const digest = entry.get("digest").digest();
      const pack = packs.get(digest);
      if (!pack) throw this.#error("is listed as a pack, but is not one or is listed twice", digest);
      packs.delete(digest);
      let offset = 0;
      for (const file of entry.get("files").items()) {
        const path = file.get("path").string();
        const size = file.get("size").size();
        this.#add({
          path,
          digest: this.#checkedDigest(file.get("digest").digest(), path),
          size,
          isExecutable: file.get("executable").value === true,
          pack,
          offset,
        });
        offset += size;
      }
      if (offset !== pack.size)
        throw this.#error(`is a pack of ${pack.size} bytes, but its files have ${offset}`, digest);
    }
  }

  #add(file: StoredFile): void {
    const problem = pathProblem(file.path) ?? this.#paths.add(file.path);
    if (problem !== undefined) throw this.#error(problem, file.path);
    this.#size += file.size;
    if (!Number.isSafeInteger(this.#size)) throw this.#error("makes it larger than any disk", file.path);
    if (this.#files.push(file) > maximumFiles) throw this.#error(`has more than ${maximumFiles} files`);
  }

  /** Files are kept by their sha256. */
  #checkedDigest(digest: Digest, what: string): Digest {
    if (splitDigest(digest).algorithm !== "sha256") throw this.#error("has a digest that is not sha256", what);
    return digest;
  }

  #error(problem: string, part?: string): UserError {
    return invalid(this.#document, problem, part);
  }
}

/** `part`: a file's path or a layer's digest; undefined: the whole model. */
function invalid(document: string, problem: string, part?: string): UserError {
  const name = part === undefined ? document : `${document}: ${JSON.stringify(part)}`;
  return new UserError({ code: "model-invalid", culprit: part ?? document }, `${name} ${problem}.`, remedy);
}
