import { type Digest, sha256, splitDigest } from "../oci/digest.ts";
import type { ImageContents, SbomFormat } from "./contents.ts";
import { type PackageRecord, packageUrl } from "./package-record.ts";

const unknown = "NOASSERTION";

function artifact(kind: string, name: string, digest: Digest) {
  const { algorithm, hex } = splitDigest(digest);
  return {
    SPDXID: `SPDXRef-${kind}-${hex}`,
    name,
    downloadLocation: unknown,
    filesAnalyzed: false,
    checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue: hex }],
  };
}

/** The licence stays a comment: SPDX accepts listed identifiers alone, and packages state any text. */
function described(record: PackageRecord, url: string) {
  return {
    SPDXID: `SPDXRef-Package-${splitDigest(sha256(url)).hex}`,
    name: record.name,
    versionInfo: record.version,
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseDeclared: unknown,
    ...(record.license !== undefined && { licenseComments: `The package states: ${record.license}` }),
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: url }],
  };
}

/**
 * The SPDX 2.3 document of an image as JSON. The same contents give the same bytes in any order of packages: the time of creation is the epoch.
 * A package in several layers is listed once, and each of these layers contains it.
 */
function spdxDocument({ name, digest, base, layers }: ImageContents): string {
  const image = artifact("Image", name, digest);
  const packages: object[] = [image];
  const relationships: object[] = [];
  const relate = (from: string, relationshipType: string, to: string) =>
    relationships.push({ spdxElementId: from, relationshipType, relatedSpdxElement: to });
  relate("SPDXRef-DOCUMENT", "DESCRIBES", image.SPDXID);
  if (base !== undefined) {
    const item = artifact("Base", base.name, base.digest);
    packages.push(item);
    relate(image.SPDXID, "DESCENDANT_OF", item.SPDXID);
  }
  const seen = new Map<string, ReturnType<typeof described>>();
  for (const layer of new Map(layers.map((item) => [item.digest, item])).values()) {
    const item = artifact("Layer", layer.digest, layer.digest);
    packages.push(item);
    relate(image.SPDXID, "CONTAINS", item.SPDXID);
    const keyed = layer.packages.map((record) => ({ url: packageUrl(record), record, key: JSON.stringify(record) }));
    keyed.sort((x, y) => (`${x.url} ${x.key}` < `${y.url} ${y.key}` ? -1 : 1));
    for (const [url, record] of new Map(keyed.map((item) => [item.url, item.record]))) {
      const known = seen.get(url) ?? described(record, url);
      if (!seen.has(url)) packages.push(known);
      seen.set(url, known);
      relate(item.SPDXID, "CONTAINS", known.SPDXID);
    }
  }
  const contents = sha256(JSON.stringify([packages, relationships]));
  return `${JSON.stringify({
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name,
    documentNamespace: `urn:${contents}`,
    creationInfo: { created: "1970-01-01T00:00:00Z", creators: ["Tool: slipway"] },
    packages,
    relationships,
  })}\n`;
}

/** SPDX 2.3 as JSON. */
export const spdx: SbomFormat = { mediaType: "application/spdx+json", format: spdxDocument };
