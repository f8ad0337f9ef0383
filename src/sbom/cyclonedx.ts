import { formatPlatform } from "../oci/descriptor.ts";
import { type Digest, splitDigest } from "../oci/digest.ts";
import type { ImageContents, SbomFormat } from "./contents.ts";
import { imageUrl } from "./image-url.ts";
import { type Checksum, inventoryOf, type ListedPackage } from "./inventory.ts";
import { uuidOf } from "./uuid.ts";

const algorithms = { md5: "MD5", sha1: "SHA-1", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" } as const;

function hashesOf(checksums: readonly Checksum[]) {
  if (checksums.length === 0) return {};
  return { hashes: checksums.map(({ algorithm, hex }) => ({ alg: algorithms[algorithm], content: hex })) };
}

function artifact(kind: "image" | "base" | "layer", name: string, digest: Digest, purl?: string) {
  const { algorithm, hex } = splitDigest(digest);
  return {
    type: kind === "layer" ? "file" : "container",
    "bom-ref": `${kind}-${hex}`,
    name,
    version: digest,
    ...hashesOf([{ algorithm, hex }]),
    ...(purl !== undefined && { purl }),
  };
}

function licensesOf({ expression, statement }: ListedPackage) {
  const acknowledgement = "declared";
  if (expression !== undefined) return { licenses: [{ expression, acknowledgement }] };
  return statement === undefined ? {} : { licenses: [{ license: { name: statement, acknowledgement } }] };
}

function described(item: ListedPackage) {
  return {
    type: "library",
    "bom-ref": item.id,
    name: item.name,
    version: item.version,
    ...hashesOf(item.checksums),
    ...licensesOf(item),
    ...(item.cpe !== undefined && { cpe: item.cpe }),
    purl: item.url,
  };
}

function cyclonedxDocument(contents: ImageContents): string {
  const { name, digest, platform, base, distribution } = contents;
  const inventory = inventoryOf(contents);
  const image = {
    ...artifact("image", name, digest, imageUrl(name, digest, platform)),
    // An ancestor, not a component: its packages are in its own SBOM.
    ...(base && {
      pedigree: { ancestors: [artifact("base", base.name, base.digest, imageUrl(base.name, base.digest, platform))] },
    }),
    ...(platform && { properties: [{ name: "slipway:platform", value: formatPlatform(platform) }] }),
  };
  const system = distribution && {
    type: "operating-system",
    "bom-ref": "operating-system",
    name: distribution.id,
    ...(distribution.versionId !== undefined && { version: distribution.versionId }),
  };
  const layers = inventory.layers.map(({ digest, packages }) => ({
    component: artifact("layer", digest, digest),
    packages: packages.map(({ id }) => id),
  }));
  const parts = [...(system ? [system] : []), ...layers.map(({ component }) => component)];
  const components = [...parts, ...inventory.packages.map(described)];
  const dependencies = [
    { ref: image["bom-ref"], dependsOn: parts.map((part) => part["bom-ref"]) },
    ...layers.map(({ component, packages }) => ({ ref: component["bom-ref"], dependsOn: packages })),
  ];
  return `${JSON.stringify({
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: uuidOf(JSON.stringify([image, components, dependencies])),
    version: 1,
    metadata: {
      timestamp: "1970-01-01T00:00:00Z",
      tools: { components: [{ type: "application", name: "slipway" }] },
      component: image,
    },
    components,
    dependencies,
  })}\n`;
}

/** Its time is the epoch, and its serial number a hash, so that the same contents give the same bytes. */
export const cyclonedx: SbomFormat = { mediaType: "application/vnd.cyclonedx+json", format: cyclonedxDocument };
