import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/**
 * The folders of src and what each is for, highest first: each imports only from those that follow it. A folder is
 * a noun of the documentation, or the
 * client of one outside system.
 */
export const folders: Readonly<Record<string, string>> = {
  cli: "the `slipway` commands: they parse, print and exit",
  sdk: "the library that TypeScript programs import",
  launch: "the launcher that `bazel run` starts: push, load, become the program",
  build: "the tools that build actions and repository rules start",
  services: "service specs, and how they are applied, rolled back and watched",
  functions: "calls and maps of functions, in processes, containers and pods",
  jobs: "interpreter, code and exact versions; run, status, logs, cancel",
  secrets: "secrets by name, of this machine and of a cluster",
  kubernetes: "the client of the cluster, and nothing else",
  "python-environments": "Python environments from requirement files",
  "remote-cache": "the client of Bazel's remote caches: layers from there",
  signatures: "signatures, attestations, keys, and the rules that ask for them",
  results: "kept results of functions, as OCI artifacts",
  models: "models as OCI artifacts",
  containers: "the client of podman and docker",
  registry: "the client of registries: transport, login, pull, push, mount",
  sbom: "what an image contains, and SPDX and CycloneDX documents",
  config: "config.yaml, YAML with positions, words of schemas, units",
  debian: "the client of Debian archives: base images from packages",
  git: "the client of git: clone, check out, log in",
  "registry-server": "the embedded registry",
  layer: "deterministic tar, compression, runfiles to layers",
  credentials: "where secrets of registries and git come from, and helper protocols",
  runs: "what programs write down of their calls",
  oci: "digests, references, descriptors, manifests: pure data",
  core: "errors, folders of the user, locks, processes, the wire protocol",
};

/**
 * The files of src, each with those that it imports. Types are included: a circle of types ties files to each other
 * as one of code does.
 *
 * @param source path of src
 */
export function importsIn(source: string): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (file) => /\.m?ts$/.test(file) && !file.endsWith(".config.ts"),
  );
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(source, file), "utf8");
      const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)].map(([, each = ""]) => each);
      return [
        file,
        specifiers.map((each) => relative(source, join(source, dirname(file), each)).replace(/\.mjs$/, ".mts")),
      ];
    }),
  );
}

/** The table of docs/design.md: each folder, and those that import from it. */
export function foldersTable(importsByFile: ReadonlyMap<string, readonly string[]>): string {
  const top = (path: string) => path.split("/", 1)[0] as string;
  const importers = new Map<string, Set<string>>(Object.keys(folders).map((folder) => [folder, new Set()]));
  for (const [file, imported] of importsByFile) {
    if (/\.test\.ts$|(^|\/)testdata\//.test(file)) continue;
    for (const each of imported) if (top(each) !== top(file)) importers.get(top(each))?.add(top(file));
  }
  const rows = Object.entries(folders).map(([folder, contents]) => {
    return `| \`${folder}\` | ${contents} | ${spokenImporters(folder, importers.get(folder) ?? new Set())} |`;
  });
  return ["| folder, highest first | contents | imported by |", "|---|---|---|", ...rows].join("\n");
}

/** The nearest first; those that do not import it where they are fewer. */
function spokenImporters(folder: string, importers: ReadonlySet<string>): string {
  const names = Object.keys(folders);
  const above = names.slice(0, names.indexOf(folder)).reverse();
  const list = (those: readonly string[]) => those.map((each) => `\`${each}\``).join(", ");
  const others = above.filter((each) => !importers.has(each));
  if (others.length >= importers.size) return list(above.filter((each) => importers.has(each)));
  return others.length === 0 ? "all above" : `all above but ${list(others)}`;
}
