import { statSync } from "node:fs";
import { Failure, UserError } from "../core/errors.ts";
import type { Content } from "../layer/entry.ts";
import { checkDescriptor, type Descriptor } from "../oci/descriptor.ts";
import { type Digest, sha256 } from "../oci/digest.ts";
import { parseLayerMetadata } from "../oci/layer.ts";
import { blobPath } from "../oci/layout.ts";
import { type ImageManifest, isIndex, parseImageManifest, parseManifest } from "../oci/manifest.ts";
import { type Arguments, malformed, texts } from "./arguments.ts";
import { OciLayout } from "./oci-layout.ts";

export const imageOptions = ["descriptor", "manifest", "config"] as const;

export interface ImageFiles {
  readonly descriptor: Descriptor;
  readonly manifest: ImageManifest;
  /** Each once, by its path in an OCI layout, in the order of the image. */
  readonly blobs: ReadonlyMap<string, Content>;
}

/** Checks documents by digest, but blobs by size: the action that wrote them computed their digests. */
export function readImage(options: Arguments): ImageFiles {
  const descriptor = readDescriptor(options);
  const files = { manifest: options.one("manifest"), config: options.one("config") };
  const namedBy = { digest: descriptor.digest, document: options.one("descriptor") };
  return { descriptor, ...readOne(options, files, namedBy, givenBlobs(options)) };
}

export function readImages(options: Arguments): Pick<ImageFiles, "descriptor" | "blobs"> {
  const index = options.optional("index");
  if (index === undefined) return readImported(options) ?? readImage(options);
  const descriptor = readDescriptor(options);
  const bytes = options.read(index);
  checkDigest(bytes, descriptor.digest, index, options.one("descriptor"));
  const parsed = parseManifest(bytes, { document: index });
  const [manifests, configs] = [options.all("manifest"), options.all("config")];
  if (!isIndex(parsed) || parsed.manifests.length !== manifests.length || manifests.length !== configs.length) {
    throw new UserError(
      { code: "command-line-invalid", culprit: index },
      `${index} is not an index of the ${manifests.length} manifests and ${configs.length} configurations given.`,
      "Give --manifest and --config for each of its images, in its order.",
    );
  }
  const given = givenBlobs(options);
  const blobs = new Map<string, Content>([[blobPath(descriptor.digest), { bytes }]]);
  parsed.manifests.forEach(({ digest }, at) => {
    const files = { manifest: manifests[at] as string, config: configs[at] as string };
    const image = readOne(options, files, { digest, document: index }, given);
    for (const [path, content] of image.blobs) blobs.set(path, content);
  });
  return { descriptor, blobs };
}

function readImported(options: Arguments): Pick<ImageFiles, "descriptor" | "blobs"> | undefined {
  const path = options.one("manifest");
  const bytes = options.read(path);
  const index = parseManifest(bytes, { document: path });
  if (!isIndex(index)) return undefined;
  const descriptor = readDescriptor(options);
  checkDigest(bytes, descriptor.digest, path, options.one("descriptor"));
  const given = givenBlobs(options);
  const blobs = new Map<string, Content>([[blobPath(descriptor.digest), { bytes }]]);
  for (const entry of index.manifests) {
    const image = given.manifest(entry, path);
    blobs.set(blobPath(entry.digest), { bytes: image.bytes });
    for (const part of [image.manifest.config, ...image.manifest.layers]) {
      blobs.set(blobPath(part.digest), { file: given.file(part, path) });
    }
  }
  return { descriptor, blobs };
}

function readDescriptor(options: Arguments): Descriptor {
  const path = options.one("descriptor");
  return checkDescriptor(options.json(path));
}

function readOne(
  options: Arguments,
  files: { readonly manifest: string; readonly config: string },
  namedBy: { readonly digest: Digest; readonly document: string },
  given: GivenBlobs,
): Pick<ImageFiles, "manifest" | "blobs"> {
  const bytes = options.read(files.manifest);
  const manifest = parseImageManifest(bytes, { document: files.manifest });
  const config = options.read(files.config);
  checkDigest(bytes, namedBy.digest, files.manifest, namedBy.document);
  checkDigest(config, manifest.config.digest, files.config, files.manifest);
  const blobs = new Map<string, Content>([
    [blobPath(namedBy.digest), { bytes }],
    [blobPath(manifest.config.digest), { bytes: config }],
  ]);
  for (const layer of manifest.layers) {
    blobs.set(blobPath(layer.digest), { file: given.file(layer, files.manifest) });
  }
  return { manifest, blobs };
}

class GivenBlobs {
  readonly files = new Map<Digest, string>();
  readonly layouts: OciLayout[] = [];

  file(descriptor: Descriptor, image: string): string {
    const found = this.files.get(descriptor.digest) ?? this.#inLayouts((layout) => layout.blob(descriptor));
    if (found !== undefined) return found;
    if (this.layouts.length > 0) {
      throw new UserError(
        { code: "image-invalid", culprit: image },
        `${descriptor.digest} of ${image} is missing or cut short in ${this.layouts.map(({ name }) => name).join(", ")}.`,
        "Use a layout with all its blobs.",
      );
    }
    throw new UserError(
      { code: "image-unsuitable", culprit: image },
      `Layer ${descriptor.digest} of ${image} is only in a registry: the base image was pulled without its layers.`,
      "Push the image instead, or use a base whose layers are files of the build: base_images.layout or base_images.debian.",
    );
  }

  manifest(descriptor: Descriptor, index: string): { bytes: Buffer; manifest: ImageManifest } {
    const found = this.#inLayouts((layout) => (layout.blob(descriptor) ? layout.manifest(descriptor) : undefined));
    const manifest = found?.manifest;
    if (found && manifest && !isIndex(manifest)) return { bytes: found.bytes, manifest };
    throw new UserError(
      { code: "image-unsuitable", culprit: index },
      `${index} names ${descriptor.digest}, which is not an image of the layout.`,
      "Make an index of images.",
    );
  }

  #inLayouts<T>(look: (layout: OciLayout) => T | undefined): T | undefined {
    for (const layout of this.layouts) {
      const found = look(layout);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function givenBlobs(options: Arguments): GivenBlobs {
  const given = new GivenBlobs();
  for (const entry of options.entries) {
    if (entry.kind === "layout") {
      const [folder] = texts(entry, ["FOLDER"]);
      given.layouts.push(new OciLayout(folder, options.resolve(folder)));
      continue;
    }
    if (entry.kind !== "blob") throw malformed(entry.text, '["blob", "METADATA", "BLOB"] or ["layout", "FOLDER"]');
    const [metadataPath, blob] = texts(entry, ["METADATA", "BLOB"]);
    const metadata = parseLayerMetadata(options.read(metadataPath), metadataPath);
    const file = options.resolve(blob);
    const size = statSync(file).size;
    if (size !== metadata.size) {
      throw new Failure(
        { code: "image-invalid", culprit: blob },
        `${blob} has ${size} bytes, but ${metadataPath} says ${metadata.size}.`,
        "Build the layer again: the two are not of the same layer, or the file was cut short.",
      );
    }
    given.files.set(metadata.digest, file);
  }
  return given;
}

function checkDigest(bytes: Uint8Array, expected: Digest, path: string, namedBy: string): void {
  const actual = sha256(bytes);
  if (actual === expected) return;
  throw new UserError(
    { code: "image-invalid", culprit: path },
    `${path} has the digest ${actual}, but ${namedBy} names ${expected}.`,
    "Give the files of one image.",
  );
}
