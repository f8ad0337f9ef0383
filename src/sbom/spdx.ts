import { formatPlatform } from "../oci/descriptor.ts";
import { type Digest, splitDigest } from "../oci/digest.ts";
import type { ImageContents, SbomFormat } from "./contents.ts";
import { imageUrl } from "./image-url.ts";
import { inventoryOf, type ListedPackage } from "./inventory.ts";
import { uuidOf } from "./uuid.ts";

const unknown = "NOASSERTION";

/** An SBOM of an image lists no files. */
const common = { downloadLocation: unknown, filesAnalyzed: false, licenseDeclared: unknown };

function references(url: string | undefined, cpe?: string) {
  if (url === undefined) return {};
  return {
    externalRefs: [
      { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: url },
      ...(cpe === undefined
        ? []
        : [{ referenceCategory: "SECURITY", referenceType: "cpe23Type", referenceLocator: cpe }]),
    ],
  };
}

function artifact(kind: "Image" | "Base" | "Layer", name: string, digest: Digest, url?: string) {
  const { algorithm, hex } = splitDigest(digest);
  return {
    SPDXID: `SPDXRef-${kind}-${hex}`,
    name,
    versionInfo: digest,
    ...common,
    primaryPackagePurpose: kind === "Layer" ? "ARCHIVE" : "CONTAINER",
    checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue: hex }],
    ...references(url),
  };
}

function described({ id, url, name, version, expression, statement, checksums, cpe }: ListedPackage) {
  return {
    SPDXID: `SPDXRef-Package-${id}`,
    name,
    versionInfo: version,
    ...common,
    ...(expression !== undefined && { licenseDeclared: expression }),
    ...(statement !== undefined && { licenseComments: `The package states: ${statement}` }),
    ...(checksums.length > 0 && {
      checksums: checksums.map(({ algorithm, hex }) => ({ algorithm: algorithm.toUpperCase(), checksumValue: hex })),
    }),
    ...references(url, cpe),
  };
}

function spdxDocument(contents: ImageContents): string {
  const { name, digest, platform, base, distribution } = contents;
  const inventory = inventoryOf(contents);
  const image = {
    ...artifact("Image", name, digest, imageUrl(name, digest, platform)),
    ...(platform && { comment: `Platform: ${formatPlatform(platform)}` }),
  };
  const packages: { SPDXID: string }[] = [image];
  const relationships: object[] = [];
  const relate = (from: string, relationshipType: string, to: string) =>
    relationships.push({ spdxElementId: from, relationshipType, relatedSpdxElement: to });
  relate("SPDXRef-DOCUMENT", "DESCRIBES", image.SPDXID);
  if (base !== undefined) {
    const item = artifact("Base", base.name, base.digest, imageUrl(base.name, base.digest, platform));
    packages.push(item);
    relate(image.SPDXID, "DESCENDANT_OF", item.SPDXID);
  }
  if (distribution !== undefined) {
    const item = {
      SPDXID: "SPDXRef-OperatingSystem",
      name: distribution.id,
      ...(distribution.versionId !== undefined && { versionInfo: distribution.versionId }),
      ...common,
      primaryPackagePurpose: "OPERATING_SYSTEM",
    };
    packages.push(item);
    relate(image.SPDXID, "CONTAINS", item.SPDXID);
  }
  for (const layer of inventory.layers) {
    const item = artifact("Layer", layer.digest, layer.digest);
    packages.push(item);
    relate(image.SPDXID, "CONTAINS", item.SPDXID);
    for (const { id } of layer.packages) relate(item.SPDXID, "CONTAINS", `SPDXRef-Package-${id}`);
  }
  packages.push(...inventory.packages.map(described));
  return `${JSON.stringify({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name,
    documentNamespace: uuidOf(JSON.stringify([name, packages, relationships])),
    creationInfo: { created: "1970-01-01T00:00:00Z", creators: ["Tool: slipway"] },
    packages,
    relationships,
  })}\n`;
}

/** Its time is the epoch, and its namespace a hash, so that the same contents give the same bytes. */
export const spdx: SbomFormat = { mediaType: "application/spdx+json", format: spdxDocument };
