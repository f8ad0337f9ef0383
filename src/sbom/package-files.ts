import { parseParagraphs } from "../debian/deb822.ts";
import { parseJson } from "../oci/json.ts";
import type { Distribution } from "./contents.ts";
import type { PackageRecord } from "./package-record.ts";

/** Empty without a name and a version (such files only set options of a folder), or if it is not JSON. */
export function npmPackage(text: string): PackageRecord[] {
  let value: unknown;
  try {
    ({ value } = parseJson(text.replace(/^\uFEFF/, ""), "package.json"));
  } catch {
    return [];
  }
  const { name, version, license, licenses } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== "string" || typeof version !== "string" || name === "" || version === "") return [];
  const stated = [license, ...(Array.isArray(licenses) ? licenses : [])]
    .map((each) => (typeof each === "string" ? each : ((each ?? {}) as { type?: unknown }).type))
    .filter((each): each is string => typeof each === "string" && each !== "");
  return [{ type: "npm", name, version, ...(stated.length > 0 && { license: stated.join(" OR ") }) }];
}

/** "Core metadata specifications". Empty without a name and a version; a `License` of a whole text does not count. */
export function pythonPackage(text: string): PackageRecord[] {
  const [fields] = parseParagraphs(text.split(/\r?\n\r?\n/, 1)[0] ?? "");
  const [name, version] = [fields?.get("name"), fields?.get("version")];
  if (!name || !version) return [];
  const license = fields?.get("license-expression") || fields?.get("license");
  return [{ type: "pypi", name, version, ...(license && !license.includes("\n") && { license }) }];
}

/** Those installed in `/var/lib/dpkg/status` (deb-control(5)). */
export function* debianPackages(text: string): Generator<PackageRecord> {
  for (const fields of parseParagraphs(text)) {
    const [name, version, architecture] = ["package", "version", "architecture"].map((key) => fields.get(key));
    const status = fields.get("status");
    if (!name || !version || (status !== undefined && !status.endsWith(" installed"))) continue;
    // `Source: NAME`, or `Source: NAME (VERSION)`.
    const source = fields.get("source")?.replace(/ \(([^()]*)\)$/, "@$1");
    yield { type: "deb", name, version, ...(architecture && { architecture }), ...(source && { source }) };
  }
}

const mostLicenses = 10_000;

/** The short names in the fields `License` of a machine-readable `copyright` (copyright format 1.0). */
export function debianLicense(text: string): string | undefined {
  if (!text.startsWith("Format:")) return undefined;
  // A name has no blanks, except around `and`, `or` and `with`.
  const names = new Set<string>();
  for (const [, name = ""] of text.matchAll(/^License:[ \t]*([^\s,]{1,200}(?: (?:and|or|with) .{1,60})?)$/gm)) {
    names.add(name);
    if (names.size === mostLicenses) break;
  }
  return names.size > 0 ? [...names].sort().join(", ") : undefined;
}

export function distributionOf(text: string): Distribution | undefined {
  const value = (key: string) => new RegExp(`^${key}=(["']?)(.*)\\1$`, "m").exec(text)?.[2];
  const [id, versionId] = [value("ID"), value("VERSION_ID")];
  return id ? { id, ...(versionId && { versionId }) } : undefined;
}
