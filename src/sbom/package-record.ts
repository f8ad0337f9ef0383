import { formatPackageUrl } from "./package-url.ts";

export interface Distribution {
  readonly id: string;
  readonly versionId?: string;
}

/** As far as its own metadata tells. */
export interface PackageRecord {
  /** In a package URL. `generic`: without an ecosystem, such as Node itself. */
  readonly type: "cargo" | "deb" | "generic" | "golang" | "npm" | "pypi";
  /** `@scope/name`, `example.com/module`. */
  readonly name: string;
  readonly version: string;
  /** As the package states it: often an SPDX expression. */
  readonly license?: string;
  readonly architecture?: string;
  /** Of a Debian package, if it differs: `name`, or `name@version`. */
  readonly source?: string;
  /** Its name in databases of vulnerabilities that know no package URL (CPE 2.3, "Formatted String Binding"). */
  readonly cpe?: string;
  /** Of the package's archive, in hex: `sha1`, `sha256`, `sha512`. */
  readonly checksums?: Readonly<Record<string, string>>;
}

/** By the purl specification. Debian's has what scanners look up: `arch`, `distro`, `upstream` for the source. */
export function packageUrl(record: PackageRecord, distribution: Distribution = { id: "debian" }): string {
  const { type, name, version, architecture, source } = record;
  if (type === "deb") {
    const { id, versionId } = distribution;
    const distro = versionId === undefined ? undefined : `${id}-${versionId}`;
    const qualifiers = { arch: architecture, distro, upstream: source };
    return formatPackageUrl({ type, namespace: [id.toLowerCase()], name: name.toLowerCase(), version, qualifiers });
  }
  if (type === "pypi") return formatPackageUrl({ type, name: name.toLowerCase().replaceAll("_", "-"), version });
  // Some old npm packages differ by case alone, such as JSONStream and jsonstream.
  const segments = type === "npm" || type === "golang" ? name.split("/").filter((segment) => segment !== "") : [name];
  return formatPackageUrl({ type, namespace: segments.slice(0, -1), name: segments.at(-1) ?? name, version });
}
