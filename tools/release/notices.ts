import { readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { UserError } from "../../src/core/errors.ts";

/** A package's own folder, in which neither its dependencies nor a part of it is. */
const packageFolder = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/;

/**
 * The licenses of npm packages whose code is in bundles, as they ask for: each with its name, version and text.
 *
 * @param paths files of the packages: their package.json, and files with a license
 * @throws UserError naming a package without a license
 */
export function notices(paths: readonly string[]): string {
  const texts = new Map<string, string[]>();
  const manifests = new Map<string, string>();
  for (const path of paths.toSorted()) {
    const folder = dirname(path);
    if (!packageFolder.test(folder)) continue;
    const text = readFileSync(path, "utf8");
    if (basename(path) === "package.json") manifests.set(folder, text);
    else texts.set(folder, [...(texts.get(folder) ?? []), text.trim()]);
  }
  const entries = new Map<string, string>();
  for (const [folder, manifest] of manifests) {
    const { name, version, license } = JSON.parse(manifest) as Readonly<Record<string, unknown>>;
    const own = texts.get(folder) ?? [];
    if (typeof license !== "string" && own.length === 0) {
      throw new UserError(
        { code: "file-invalid", culprit: `${name} ${version}` },
        `The npm package ${name} ${version} does not name its license.`,
        "Bundle another one.",
      );
    }
    const heading = `${name} ${version}${typeof license === "string" ? ` (${license})` : ""}`;
    entries.set(heading, [heading, ...own].join("\n\n"));
  }
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  const introduction = "Slipway's tools contain code of these packages.";
  return `${[introduction, ...[...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)].join(rule)}\n`;
}
