import { statSync } from "node:fs";
import type { Content } from "../layer/entry.ts";
import { checkDescriptor, type Descriptor } from "../oci/descriptor.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { Failure, UserError } from "../oci/errors.ts";
import { parseJson } from "../oci/json.ts";
import { parseLayerMetadata } from "../oci/layer.ts";
import { blobPath } from "../oci/layout.ts";
import { type ImageManifest, isIndex, parseImageManifest, parseManifest } from "../oci/manifest.ts";
import { type Arguments, malformed, texts } from "./arguments.ts";
import { type Context, pathIn } from "./context.ts";
import { readInput } from "./files.ts";

/** The arguments of commands that write a whole image. */
export const imageOptions = ["descriptor", "manifest", "config"] as const;

/** An image that is here with everything that belongs to it. */
export interface ImageFiles {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  /** Every blob, once, by its path in an OCI layout, in the order of the image. */
  readonly blobs: ReadonlyMap<string, Content>;
}

/**
 * Reads `--descriptor`, `--manifest`, `--config` and the `["blob", METADATA, BLOB]` entries, and checks that they are one complete image.
 * Small documents are checked by digest; blobs by size, since their digests were computed by the action that wrote them.
 *
 * @throws UserError when a layer of the manifest is not given
 */
export function readImage(options: Arguments, context: Context): ImageFiles {
  const descriptor = readDescriptor(options, context);
  const files = { manifest: options.one("manifest"), config: options.one("config") };
  const namedBy = { digest: descriptor.digest, document: options.one("descriptor") };
  return { descriptor, ...readOne(files, namedBy, givenBlobs(options, context), context) };
}

/**
 * As {@link readImage}; with `--index` its images, whose `--manifest` and `--config` come in the order of the index.
 *
 * @throws UserError when an image of the index, or a layer, is not given
 */
export function readImages(options: Arguments, context: Context): Pick<ImageFiles, "descriptor" | "blobs"> {
  const index = options.optional("index");
  if (index === undefined) return readImage(options, context);
  const descriptor = readDescriptor(options, context);
  const bytes = readInput(pathIn(context, index));
  checkDigest(bytes, descriptor.digest, index, options.one("descriptor"));
  const parsed = parseManifest(bytes, { document: index });
  const [manifests, configs] = [options.all("manifest"), options.all("config")];
  if (!isIndex(parsed) || parsed.manifests.length !== manifests.length || manifests.length !== configs.length) {
    throw new UserError(
      `${index} is no index of the ${manifests.length} manifests and ${configs.length} configurations given.`,
      "Give --manifest and --config for each of its images, in its order.",
    );
  }
  const given = givenBlobs(options, context);
  const blobs = new Map<string, Content>([[blobPath(descriptor.digest), { bytes }]]);
  parsed.manifests.forEach(({ digest }, at) => {
    const files = { manifest: manifests[at] as string, config: configs[at] as string };
    const image = readOne(files, { digest, document: index }, given, context);
    for (const [path, content] of image.blobs) blobs.set(path, content);
  });
  return { descriptor, blobs };
}

function readDescriptor(options: Arguments, context: Context): Descriptor {
  const path = options.one("descriptor");
  return checkDescriptor(parseJson(readInput(pathIn(context, path)), path));
}

function readOne(
  files: { readonly manifest: string; readonly config: string },
  namedBy: { readonly digest: Digest; readonly document: string },
  given: ReadonlyMap<Digest, string>,
  context: Context,
): Pick<ImageFiles, "manifest" | "blobs"> {
  const bytes = readInput(pathIn(context, files.manifest));
  const manifest = parseImageManifest(bytes, { document: files.manifest });
  const config = readInput(pathIn(context, files.config));
  checkDigest(bytes, namedBy.digest, files.manifest, namedBy.document);
  checkDigest(config, manifest.config.digest, files.config, files.manifest);
  const blobs = new Map<string, Content>([
    [blobPath(namedBy.digest), { bytes }],
    [blobPath(manifest.config.digest), { bytes: config }],
  ]);
  for (const layer of manifest.layers) {
    const file = given.get(layer.digest);
    if (file === undefined) {
      throw new UserError(
        `Layer ${layer.digest} of ${files.manifest} is in a registry alone: the base image was pulled without its layers.`,
        "Push the image instead, or build on a base whose layers are files of the build: base_images.layout or base_images.debian.",
      );
    }
    blobs.set(blobPath(layer.digest), { file });
  }
  return { manifest, blobs };
}

function givenBlobs(options: Arguments, context: Context): ReadonlyMap<Digest, string> {
  const given = new Map<Digest, string>();
  for (const entry of options.entries) {
    if (entry.kind !== "blob") throw malformed(entry.text, '["blob", "METADATA", "BLOB"]');
    const [metadataPath, blob] = texts(entry, ["METADATA", "BLOB"]);
    const metadata = parseLayerMetadata(readInput(pathIn(context, metadataPath)), metadataPath);
    const file = pathIn(context, blob);
    const size = statSync(file).size;
    if (size !== metadata.size) {
      throw new Failure(
        `${blob} has ${size} bytes, but ${metadataPath} says ${metadata.size}.`,
        "Build the layer again: the two are not of the same layer, or the file was cut short.",
      );
    }
    given.set(metadata.digest, file);
  }
  return given;
}

function checkDigest(bytes: Uint8Array, expected: Digest, path: string, namedBy: string): void {
  const actual = sha256(bytes);
  if (actual === expected) return;
  throw new UserError(
    `${path} has the digest ${actual}, but ${namedBy} names ${expected}.`,
    "Give the files of one and the same image.",
  );
}
