import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { archiveOf } from "./archive.ts";
import { parseParagraphs, words } from "./deb822.ts";

export interface AptSource {
  readonly uri: string;
  readonly suite: string;
}

/** `deb [options] URI SUITE [COMPONENT]…`. */
export function parseSourcesList(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line.replace(/#.*/, ""));
    if (match?.[1] !== undefined && match[2] !== undefined) sources.push({ uri: match[1], suite: match[2] });
  }
  return sources;
}

/** deb822 (`*.sources`): a paragraph is a source for each of its URIs and suites, unless `Enabled: no`. */
export function parseSourcesFile(text: string): AptSource[] {
  return [...parseParagraphs(text)]
    .filter((paragraph) => words(paragraph.get("types")).includes("deb"))
    .filter((paragraph) => !/^(no|false|without|off|disable|0)$/i.test(paragraph.get("enabled") ?? ""))
    .flatMap((paragraph) =>
      words(paragraph.get("uris")).flatMap((uri) => words(paragraph.get("suites")).map((suite) => ({ uri, suite }))),
    );
}

/** In apt's order: `etc/apt/sources.list` and `etc/apt/sources.list.d`. Missing and unreadable files have none. */
export function readAptSources(root = "/"): AptSource[] {
  const folder = join(root, "etc/apt/sources.list.d");
  const names = attempt(() => readdirSync(folder).sort()) ?? [];
  const read = (path: string) => attempt(() => readFileSync(path, "utf8")) ?? "";
  return [
    ...parseSourcesList(read(join(root, "etc/apt/sources.list"))),
    ...names.flatMap((name) => {
      if (name.endsWith(".list")) return parseSourcesList(read(join(folder, name)));
      return name.endsWith(".sources") ? parseSourcesFile(read(join(folder, name))) : [];
    }),
  ];
}

function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** Without a final `/`. Mirrors carry an archive whole, so a source of another suite of the same archive is enough. */
export function mirrorFor(suite: string, sources: readonly AptSource[]): string | undefined {
  const usable = sources.filter(({ uri }) => /^(https?|file):\/\//i.test(uri) && !uri.includes("$("));
  const same = usable.find((source) => source.suite === suite);
  const sameArchive = usable.find(({ uri }) => uri.replace(/\/+$/, "").endsWith(`/${archiveOf(suite)}`));
  return (same ?? sameArchive)?.uri.replace(/\/+$/, "");
}
