import { type Digest, sha256, splitDigest } from "../oci/digest.ts";
import type { ImageContents } from "./contents.ts";
import { licenseExpression } from "./license-expression.ts";
import { type PackageRecord, packageUrl } from "./package-record.ts";

export interface ListedPackage {
  /** Unique in the document: 32 hex digits. */
  readonly id: string;
  readonly url: string;
  readonly name: string;
  readonly version: string;
  readonly expression?: string;
  /** As the package states it, if it is no expression. */
  readonly statement?: string;
  readonly checksums: readonly Checksum[];
  readonly cpe?: string;
}

/** Algorithms that both formats know. */
export interface Checksum {
  readonly algorithm: "md5" | "sha1" | "sha256" | "sha384" | "sha512";
  readonly hex: string;
}

export interface Inventory {
  readonly packages: readonly ListedPackage[];
  /** In the order of the image, each digest once. */
  readonly layers: readonly { readonly digest: Digest; readonly packages: readonly ListedPackage[] }[];
}

const hexDigits = { md5: 32, sha1: 40, sha256: 64, sha384: 96, sha512: 128 } as const;

function checksumsOf(record: PackageRecord): Checksum[] {
  return (Object.keys(hexDigits) as Checksum["algorithm"][]).flatMap((algorithm) => {
    const hex = record.checksums?.[algorithm]?.toLowerCase() ?? "";
    return /^[0-9a-f]+$/.test(hex) && hex.length === hexDigits[algorithm] ? [{ algorithm, hex }] : [];
  });
}

/** Thousands of packages state the same few licences. */
type Licenses = Map<string, Pick<ListedPackage, "expression" | "statement">>;

function licenseOf({ license = "" }: PackageRecord, known: Licenses): Pick<ListedPackage, "expression" | "statement"> {
  const before = known.get(license);
  if (before !== undefined) return before;
  const expression = licenseExpression(license);
  const found =
    expression !== undefined ? { expression } : license.trim() === "" ? {} : { statement: license.toWellFormed() };
  known.set(license, found);
  return found;
}

/** In the order of package URLs. Records that differ in licences or checksums stay apart: none is known to be wrong. */
export function inventoryOf({ layers, distribution }: ImageContents): Inventory {
  const licenses: Licenses = new Map();
  const listed = new Map<string, ListedPackage>();
  const list = (record: PackageRecord): ListedPackage => {
    const item = {
      url: packageUrl(record, distribution),
      // Halves of surrogate pairs have no UTF-8.
      name: record.name.toWellFormed(),
      version: record.version.toWellFormed(),
      ...licenseOf(record, licenses),
      checksums: checksumsOf(record),
      ...(record.cpe !== undefined && { cpe: record.cpe }),
    };
    const id = splitDigest(sha256(JSON.stringify(item))).hex.slice(0, 32);
    const known = listed.get(id) ?? { id, ...item };
    listed.set(id, known);
    return known;
  };
  const byDigest = Map.groupBy(layers, (layer) => layer.digest);
  const found = [...byDigest].map(([digest, same]) => ({
    digest,
    packages: sorted(new Set(same.flatMap((layer) => layer.packages.map(list)))),
  }));
  return { packages: sorted(listed.values()), layers: found };
}

function sorted(packages: Iterable<ListedPackage>): ListedPackage[] {
  return [...packages].sort((a, b) => (a.url === b.url ? order(a.id, b.id) : order(a.url, b.url)));
}

function order(a: string, b: string): number {
  return a < b ? -1 : 1;
}
