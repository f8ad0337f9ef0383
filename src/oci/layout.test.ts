import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { composeArtifact, describeReferrer, emptyContent, emptyDescriptor } from "./artifact.ts";
import { sha256 } from "./digest.ts";
import { formatLayerMetadata, parseLayerMetadata } from "./layer.ts";
import { archiveFiles, layoutFiles } from "./layout.ts";
import { parseImageManifest } from "./manifest.ts";
import { isNondistributable, mediaTypes, ociLayerMediaType } from "./media-types.ts";
import { parseReference } from "./reference.ts";

const describe = (content: string, mediaType: string) => ({ mediaType, digest: sha256(content), size: content.length });
const layer = describe("layer", mediaTypes.layerGzip);
const descriptor = describe("manifest", mediaTypes.manifest);
const manifest = {
  schemaVersion: 2 as const,
  mediaType: mediaTypes.manifest,
  config: describe("config", mediaTypes.config),
  layers: [layer],
};
const read = (files: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...files].map(([path, bytes]) => [path, JSON.parse(Buffer.from(bytes).toString())]));
const path = (content: string) => `blobs/sha256/${sha256(content).slice("sha256:".length)}`;

const layout = {
  "oci-layout": { imageLayoutVersion: "1.0.0" },
  "index.json": { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor] },
};

it("a layout has an index of one manifest", () => {
  expect(read(layoutFiles(descriptor))).toEqual(layout);
});

it.each([
  ["a.example/b:v1", { "org.opencontainers.image.ref.name": "v1" }],
  [`a.example/b@${descriptor.digest}`, {}],
])("an archive of %s is a layout and what docker writes", (name, tag) => {
  const annotated = { ...descriptor, annotations: { kept: "1" } };
  const files = archiveFiles({ descriptor: annotated, manifest, name, reference: parseReference(name) });
  const annotations = { kept: "1", "io.containerd.image.name": name, ...tag };
  expect(read(files)).toEqual({
    "manifest.json": [{ Config: path("config"), RepoTags: [name], Layers: [path("layer")] }],
    "oci-layout": layout["oci-layout"],
    "index.json": { ...layout["index.json"], manifests: [{ ...descriptor, annotations }] },
  });
});

it.each([undefined, { a: "1" }])("an artifact refers to its subject, with annotations %j", (annotations) => {
  const content = Buffer.from("sbom");
  const subject = { ...descriptor, platform: { os: "linux", architecture: "amd64" }, data: "eA==" };
  const artifact = { artifactType: "application/sbom", mediaType: "application/json", content };
  const composed = composeArtifact(subject, { ...artifact, ...(annotations && { annotations }) });
  const part = describe("sbom", "application/json");
  expect(composed.layer).toEqual(part);
  expect(parseImageManifest(composed.bytes)).toEqual({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: "application/sbom",
    config: { mediaType: mediaTypes.empty, digest: sha256("{}"), size: 2 },
    layers: [{ ...part, data: content.toString("base64") }],
    subject: descriptor,
    ...(annotations && { annotations }),
  });
  expect(composed.descriptor).toEqual({
    mediaType: mediaTypes.manifest,
    digest: sha256(composed.bytes),
    size: composed.bytes.length,
    artifactType: "application/sbom",
    ...(annotations && { annotations }),
  });
  expect(emptyDescriptor.digest).toBe(sha256(emptyContent));
});

it.each([
  [{ artifactType: "a", config: layer }, { artifactType: "a" }],
  [{ artifactType: "", config: layer }, { artifactType: layer.mediaType }],
  [{}, {}],
])("a referrer %j has the type of its configuration if it has none", (fields, type) => {
  const { digest, size } = descriptor;
  const referrer = describeReferrer({ mediaType: mediaTypes.manifest, ...fields }, { digest, size });
  expect(referrer).toEqual({ ...descriptor, ...type });
});

const metadata = { ...layer, diffId: sha256("tar") };
it.each([metadata, { ...metadata, comment: "a" }])("the metadata of a layer is read as it was written: %j", (value) => {
  expect(parseLayerMetadata(formatLayerMetadata(value), "a.layer.json")).toEqual(value);
});

it.each(["mediaType", "digest", "size", "diffId", "comment"])("the metadata of a layer needs a good %s", (key) => {
  const bytes = Buffer.from(JSON.stringify({ ...metadata, [key]: true }));
  expect(() => parseLayerMetadata(bytes, "a.layer.json")).toThrow(userErrorWith("image-invalid", key));
});

it.each([
  ["application/vnd.docker.image.rootfs.diff.tar", mediaTypes.layer, false],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip", mediaTypes.layerGzip, false],
  ["application/vnd.docker.image.rootfs.diff.tar.zstd", mediaTypes.layerZstd, false],
  [
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    true,
  ],
  ["application/vnd.oci.image.layer.nondistributable.v1.tar", undefined, true],
  ["application/octet-stream", undefined, false],
])("a layer of %s is one of %s for OCI, nondistributable: %s", (mediaType, name, foreign) => {
  expect([ociLayerMediaType(mediaType), isNondistributable(mediaType)]).toEqual([name ?? mediaType, foreign]);
});
