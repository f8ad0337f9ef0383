import { UserError } from "../core/errors.ts";
import { checkDescriptor, type Descriptor } from "./descriptor.ts";
import { parseJson } from "./json.ts";
import { mediaTypes } from "./media-types.ts";

/** Also of an artifact: OCI image specification, "Image Manifest"; Docker's "Image Manifest V 2, Schema 2". */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** OCI image specification, "Image Index"; Docker's "manifest list". */
export interface ImageIndex extends Omit<ImageManifest, "config" | "layers"> {
  readonly manifests: readonly Descriptor[];
}

export const maximumManifestSize = 4 * 1024 * 1024;

/** More are damage: an index cannot contain itself. */
const maximumIndexDepth = 32;

export function checkIndexDepth(depth: number, image: string): void {
  if (depth <= maximumIndexDepth) return;
  throw new UserError(
    { code: "image-invalid", culprit: image },
    `${image} is nested in more than ${maximumIndexDepth} indexes.`,
    "Push the image again, in one index.",
  );
}

/** Artifacts that refer to an image, directly or not. A registry can make up more without end. */
const mostReferrers = 1000;

export const mostRemovable = 20_000;

export function checkReferrerCount(count: number, image: string, most = mostReferrers): void {
  if (count <= most) return;
  throw new UserError(
    { code: "image-invalid", culprit: image },
    `${image} is one of more than ${most} artifacts that refer to the same image or to each other.`,
    "Remove artifacts that the image does not need; `slipway image referrers` and `slipway image rm` take one of them too.",
  );
}

export function isIndex(manifest: ImageManifest | ImageIndex): manifest is ImageIndex {
  return "manifests" in manifest;
}

interface ManifestOptions {
  /** The type that the registry or layout gave, which must match the document. */
  readonly mediaType?: string;
  readonly document?: string;
}

/** Descriptors in one manifest. Each takes about 10 KB of memory while it is checked. */
const mostParts = 4096;

/** Keeps unknown fields, and adds `mediaType`, which OCI makes optional. @throws UserError with document and field */
export function parseManifest(bytes: Uint8Array, options: ManifestOptions = {}): ImageManifest | ImageIndex {
  const node = parseJson(bytes, options.document ?? "manifest");
  const version = node.get("schemaVersion").value;
  if (version !== 2) {
    const problem = version === undefined ? "is missing" : `is ${JSON.stringify(version)}`;
    node.get("schemaVersion").fail(`${problem}, only 2 is supported`);
  }

  const inside = node.optional("mediaType")?.string();
  const called = options.mediaType?.split(";", 1)[0]?.trim().toLowerCase();
  if (inside !== undefined && called !== undefined && inside.toLowerCase() !== called) {
    node.get("mediaType").fail(`is ${JSON.stringify(inside)}, but it came as ${JSON.stringify(called)}`);
  }
  const index = node.get("manifests").present;
  if (index && (node.get("config").present || node.get("layers").present)) {
    node.fail("is an index and an image manifest at once");
  }
  const mediaType = inside ?? called ?? (index ? mediaTypes.index : mediaTypes.manifest);
  const expected: readonly string[] = index
    ? [mediaTypes.index, mediaTypes.dockerIndex]
    : [mediaTypes.manifest, mediaTypes.dockerManifest];
  if (!expected.includes(mediaType)) {
    node.get("mediaType").fail(`is ${JSON.stringify(mediaType)}, expected ${expected.join(" or ")}`);
  }
  node.optional("artifactType")?.string();
  node.optional("annotations")?.stringMap();
  const subject = node.optional("subject");
  const parts = index ? node.get("manifests").items() : [node.get("config"), ...node.get("layers").items()];
  if (parts.length > mostParts) node.fail(`has more than ${mostParts} descriptors`);
  for (const part of subject ? [subject, ...parts] : parts) checkDescriptor(part);
  return { ...(node.value as ImageManifest | ImageIndex), mediaType };
}

/** @throws UserError as {@link parseManifest}, and if it is an index */
export function parseImageManifest(bytes: Uint8Array, options: ManifestOptions = {}): ImageManifest {
  const manifest = parseManifest(bytes, options);
  if (!isIndex(manifest)) return manifest;
  return parseJson(bytes, options.document ?? "manifest").fail("is an index of several platforms, expected one image");
}
