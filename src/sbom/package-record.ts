/** A Linux distribution, with the names of its `os-release`: `debian`, `12`. */
export interface Distribution {
  readonly id: string;
  readonly versionId?: string;
}

/** A software package in a layer, as far as its own metadata tells. */
export interface PackageRecord {
  /** Its type in a package URL. `generic` is for packages without an ecosystem, such as Node itself. */
  readonly type: "cargo" | "deb" | "generic" | "golang" | "npm" | "pypi";
  /** Its full name: `@scope/name`, `example.com/module`. */
  readonly name: string;
  readonly version: string;
  /** The licence as the package states it: often, but not always, an SPDX expression. */
  readonly license?: string;
  /** Architecture of a Debian package: `amd64`. */
  readonly architecture?: string;
  /** Source package of a Debian package, if it differs: `name`, or `name@version`. */
  readonly source?: string;
  /** Hashes of the package's archive, in hex, by algorithm: `sha1`, `sha256`, `sha512`. */
  readonly checksums?: Readonly<Record<string, string>>;
}

/** One component of a package URL. Colons stay as they are. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%3A", ":")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/**
 * The package URL of a package: `pkg:npm/%40scope/name@1.0.0`.
 *
 * @param distribution the one that Debian packages are of. Default: Debian, without a release
 */
export function packageUrl(record: PackageRecord, distribution?: Distribution): string {
  const { type, name, version, architecture } = record;
  const normalized = type === "pypi" ? name.toLowerCase().replaceAll("_", "-") : name;
  const vendor = distribution?.id ?? "debian";
  const path = (type === "deb" ? `${vendor}/${normalized}` : normalized).split("/").map(encode).join("/");
  return `pkg:${type}/${path}@${encode(version)}${architecture === undefined ? "" : `?arch=${encode(architecture)}`}`;
}
