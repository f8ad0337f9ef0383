import { checkDescriptor, type Descriptor } from "./descriptor.ts";
import { type JsonNode, parseJson } from "./json.ts";
import { mediaTypes } from "./media-types.ts";

/** An image of one platform, or an artifact: OCI image specification, "Image Manifest"; Docker's "Image Manifest V 2, Schema 2". */
export interface ImageManifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Manifests of several platforms: OCI image specification, "Image Index"; Docker's "manifest list". */
export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Maximum size of a manifest in bytes: the size that the distribution specification asks registries to accept. */
export const maximumManifestSize = 4 * 1024 * 1024;

export function isIndex(manifest: ImageManifest | ImageIndex): manifest is ImageIndex {
  return "manifests" in manifest;
}

/**
 * Reads and checks a manifest or an index, OCI or Docker schema 2. The result keeps unknown fields and always has `mediaType`, which is optional
 * in OCI documents.
 *
 * @param options `mediaType`: the type that the registry or layout gave, which must match the document; `document`: its name in errors
 * @throws UserError with document and field
 */
export function parseManifest(
  bytes: Uint8Array,
  options: { readonly mediaType?: string; readonly document?: string } = {},
): ImageManifest | ImageIndex {
  const node = parseJson(bytes, options.document ?? "manifest");
  const version = node.get("schemaVersion").value;
  if (version !== 2) {
    const problem = version === undefined ? "is missing" : `is ${JSON.stringify(version)}`;
    node.get("schemaVersion").fail(`${problem}, only 2 is supported`);
  }

  const inside = node.get("mediaType").present ? node.get("mediaType").string() : undefined;
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
  checkCommon(node);
  return index ? indexOf(node, mediaType) : imageOf(node, mediaType);
}

/**
 * Reads the manifest of an image for one platform.
 *
 * @throws UserError as {@link parseManifest}, and if it is an index
 */
export function parseImageManifest(
  bytes: Uint8Array,
  options: { readonly mediaType?: string; readonly document?: string } = {},
): ImageManifest {
  const manifest = parseManifest(bytes, options);
  if (isIndex(manifest))
    parseJson(bytes, options.document ?? "manifest").fail("is an index of several platforms, expected one image");
  return manifest as ImageManifest;
}

function checkCommon(node: JsonNode): void {
  if (node.get("artifactType").present) node.get("artifactType").string();
  if (node.get("annotations").present) node.get("annotations").stringMap();
  if (node.get("subject").present) checkDescriptor(node.get("subject"));
}

function imageOf(node: JsonNode, mediaType: string): ImageManifest {
  checkDescriptor(node.get("config"));
  for (const layer of node.get("layers").items()) checkDescriptor(layer);
  return { ...(node.value as ImageManifest), mediaType };
}

function indexOf(node: JsonNode, mediaType: string): ImageIndex {
  for (const manifest of node.get("manifests").items()) checkDescriptor(manifest);
  return { ...(node.value as ImageIndex), mediaType };
}
