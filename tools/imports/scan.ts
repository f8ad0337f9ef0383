import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** Folders whose files are read, from the root of the repository. */
const folders = ["docs", "src", "test", "tools"];

/** What every test has. */
const alwaysThere = new Set(["fast-check", "vitest", "vitest/config"]);

/** The public name of the library for TypeScript. */
const library = "src/sdk/index.ts";

interface Repository {
  /** Every file of {@link folders}, by its path from the root. */
  readonly files: ReadonlySet<string>;
  readonly read: (path: string) => string;
  /** Names of the npm packages of the repository. A text in a test may import others. */
  readonly packages: ReadonlySet<string>;
}

/** The files of a folder. Links, such as those that Bazel makes, are left out. */
function filesOf(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/(^|\/)(node_modules|bazel-[^/]*)(\/|$)/.test(entry.parentPath))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** The repository at a path. */
export function openRepository(root: string): Repository {
  const files = new Set(folders.flatMap((folder) => filesOf(root, folder)));
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const { dependencies = {}, devDependencies = {} } = JSON.parse(read("package.json")) as Record<string, object>;
  return { files, read, packages: new Set(Object.keys({ ...dependencies, ...devDependencies })) };
}

/**
 * What a module uses when it runs, in the form of imports.bzl: labels of modules and names of npm packages, those
 * with `?` only named by their path.
 * A type that is imported is nothing that runs.
 */
function usesOf(path: string, { files, read, packages }: Repository, label: (path: string) => string): string[] {
  const text = read(path).replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const imported = new Set<string>();
  const rest = text.replaceAll(
    /^(?:import|export)\s(type\s)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm,
    (_, type, specifier) => (type === undefined ? `import(${JSON.stringify(specifier)})` : ""),
  );
  for (const [, specifier = ""] of rest.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)) {
    if (alwaysThere.has(specifier)) continue;
    if (specifier === "slipway") imported.add(label(library));
    else if (specifier.startsWith(".")) {
      const target = join(dirname(path), specifier);
      const module = [target, target.replace(/\.mjs$/, ".mts")].find(
        (each) => /\.(m?[jt]s|json)$/.test(each) && files.has(each),
      );
      // Texts that are bundled are declared where that happens.
      if (module !== undefined) imported.add(label(module));
    } else {
      const name = /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? "";
      if (packages.has(name)) imported.add(name);
    }
  }
  for (const [, name = ""] of rest.matchAll(/(?:\bresolve\(\s*["']|\bnode_modules\/)((?:@[\w.-]+\/)?[\w.-]+)/g)) {
    if (packages.has(name) && !alwaysThere.has(name) && !imported.has(name)) imported.add(`?${name}`);
  }
  const texts = [...rest.matchAll(/["'`]([\w./@-]+\.[\w.-]+)["'`]/g)].map(([, each = ""]) =>
    // A program that a test puts into an image has its path there.
    each.replace(/^\/app\//, ""),
  );
  // A path may begin at test data, at a folder above, as in join(import.meta.dirname, "..", "main.ts"), or at src.
  const mentioned = texts
    .flatMap(
      (each) =>
        [...ancestors(path), join(dirname(path), "testdata"), "src"]
          .map((folder) => join(folder, each))
          .find((file) => files.has(file)) ?? [],
    )
    .filter((file) => file !== path && isData(file))
    .map(label)
    .filter((each) => !imported.has(each));
  return [...new Set([...imported, ...mentioned.map((each) => `?${each}`)])].sort();
}

/** Whether a file is what a test may start or read. */
function isData(path: string): boolean {
  return /\.m?[jt]s$|\/testdata\//.test(path) || (path.startsWith("test/") && !/\.(bazel|bzl)$/.test(path));
}

/** The folders that a file is in, the innermost first. */
function ancestors(path: string): string[] {
  return path === "." ? [] : [dirname(path), ...ancestors(dirname(path))];
}

/** The text of imports.bzl. */
export function importsFile(repository: Repository): string {
  const packages = new Set([
    "",
    ...[...repository.files].filter((each) => /(^|\/)BUILD\.bazel$/.test(each)).map(dirname),
  ]);
  const label = (path: string): string => {
    let folder = dirname(path);
    while (folder !== "." && !packages.has(folder)) folder = dirname(folder);
    return folder === "." ? `//:${path}` : `//${folder}:${relative(folder, path)}`;
  };
  const modules = [...repository.files].filter((each) => /\.(m?ts|mjs)$/.test(each)).sort();
  const entries = modules
    .map((path) => [label(path), usesOf(path, repository, label).join(" ")] as const)
    .filter(([, uses]) => uses !== "")
    .map(([module, uses]) => `    ${JSON.stringify(module)}: ${JSON.stringify(uses)},\n`);
  return `"""What modules use: written by \`node tools/imports/update.ts\`, read by modules.bzl."""\n\nIMPORTS = {\n${entries.sort().join("")}}\n`;
}
