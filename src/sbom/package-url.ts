export interface PackageUrlParts {
  readonly type: string;
  /** Vendor, scope or path before the name. */
  readonly namespace?: readonly string[];
  readonly name: string;
  readonly version: string;
  readonly qualifiers?: Readonly<Record<string, string | undefined>>;
}

/** All but letters, digits, and `. - _ ~ :`. `encodeURIComponent` leaves five more characters. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll("%3A", ":")
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** In canonical form, without the rules of its type: ECMA-427, "Package-URL (PURL)". */
export function formatPackageUrl({ type, namespace = [], name, version, qualifiers = {} }: PackageUrlParts): string {
  const path = [...namespace, name].map(encode).join("/");
  const query = Object.entries(qualifiers)
    .flatMap(([key, value]) => (value === undefined || value === "" ? [] : [`${key}=${encode(value)}`]))
    .sort()
    .join("&");
  return `pkg:${type}/${path}@${encode(version)}${query === "" ? "" : `?${query}`}`;
}
