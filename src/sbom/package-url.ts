/** The parts of a package URL. */
export interface PackageUrlParts {
  readonly type: string;
  /** Vendor, scope or path before the name. */
  readonly namespace?: readonly string[];
  readonly name: string;
  readonly version: string;
  /** Those that are undefined are left out. */
  readonly qualifiers?: Readonly<Record<string, string | undefined>>;
}

/** Everything but letters, digits, and `. - _ ~ :` is escaped. `encodeURIComponent` leaves five more characters. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%3A", ":")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Writes a package URL in its canonical form, without the rules of its type: ECMA-427, "Package-URL (PURL)". */
export function formatPackageUrl({ type, namespace = [], name, version, qualifiers = {} }: PackageUrlParts): string {
  const path = [...namespace, name].map(encode).join("/");
  const query = Object.entries(qualifiers)
    .flatMap(([key, value]) => (value === undefined || value === "" ? [] : [`${key}=${encode(value)}`]))
    .sort()
    .join("&");
  return `pkg:${type}/${path}@${encode(version)}${query === "" ? "" : `?${query}`}`;
}
