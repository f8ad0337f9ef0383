import { UserError } from "../../core/errors.ts";
import { ModuleFile } from "./module-file.ts";
import { type Files, fill, type Language, type Templates } from "./templates.ts";

export interface Plan {
  /** None of them exists yet. */
  readonly files: Files;
  /** Texts that are appended to files, which may not exist. */
  readonly additions: Files;
  readonly target: string;
  readonly bazel: string;
  /** One sentence each. */
  readonly notes: readonly string[];
}

export interface Repository {
  read(path: string): string | undefined;
  exists(path: string): boolean;
}

export interface Request {
  /** The folder's, for a repository without a module. */
  readonly name: string;
  readonly language: Language;
  /** Undefined if it is not a release. */
  readonly version: string | undefined;
  /** As Starlark. Only used if MODULE.bazel does not have Slipway. */
  readonly source: string;
}

const extensions = "@slipway//bazel:extensions.bzl";
const minimum = [7, 4] as const;

export function languageOf(repository: Repository): Language {
  const isPython = ["requirements.txt", "requirements.in", "pyproject.toml"].some((name) => repository.exists(name));
  return isPython && !repository.exists("package.json") ? "python" : "typescript";
}

/** Writes nothing. @throws UserError if the repository has something that Slipway cannot work with */
export function plan(repository: Repository, templates: Templates, request: Request): Plan {
  checkBazel(repository);
  const module = new ModuleFile(repository.read("MODULE.bazel") ?? "");
  if (module.isModule("slipway")) {
    throw refusal("MODULE.bazel", "This folder is Slipway itself.", "Name another folder: `slipway init FOLDER`.");
  }
  const notes: string[] = [];
  const files: Record<string, string> = {};
  for (const [path, text] of Object.entries(templates.settings)) {
    if (!repository.exists(path)) files[path] = text;
  }
  const ignored = repository.read(".gitignore");
  const additions: Record<string, string> = {};
  if (ignored !== undefined && !/^\/?bazel-\*$/m.test(ignored)) additions[".gitignore"] = "/bazel-*\n";
  const bazel = addBootstrap(repository, templates.bootstrap, files, notes);
  const program = programFor(repository, templates, request.language, module);
  Object.assign(files, program.files);
  notes.push(...program.notes);
  const ignore = ".bazelignore";
  if (request.language === "typescript" && !repository.exists(ignore))
    files[ignore] = `${program.folder}node_modules\n`;
  const stanzas = [...slipwayStanza(module, request), ...program.stanzas];
  const before = repository.read("MODULE.bazel")?.trim() ?? "";
  if (before === "") stanzas.unshift(`module(name = "${moduleNameOf(request.name)}")`);
  else if (!module.hasName) notes.push(nameless);
  if (stanzas.length > 0) additions["MODULE.bazel"] = block(stanzas, before !== "");
  return { files, additions, target: `//${program.place}:main`, bazel, notes };
}

const nameless =
  'MODULE.bazel gives the module no name. Begin it with `module(name = "NAME")`, which is where images of its root package go in a registry.';

/** The nearest that Bazel takes. */
function moduleNameOf(folder: string): string {
  const name = folder.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, "_");
  return name.replace(/^[^a-z]+/, "").replace(/[._-]+$/, "") || "app";
}

function refusal(culprit: string, problem: string, remedy: string): UserError {
  return new UserError({ code: "installation-failed", culprit }, problem, remedy);
}

function checkBazel(repository: Repository): void {
  const wanted = repository.read(".bazelversion")?.split("\n", 1)[0]?.trim() ?? "";
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(wanted) ?? [];
  const [oldMajor, oldMinor] = minimum;
  if (major && (Number(major) < oldMajor || (Number(major) === oldMajor && Number(minor) < oldMinor))) {
    throw refusal(
      ".bazelversion",
      `.bazelversion names Bazel ${wanted}, and Slipway needs ${minimum.join(".")} or newer.`,
      "Name a newer one there, and run the command again.",
    );
  }
  if (/--(noenable_bzlmod|enable_bzlmod=(false|0|no))\b/.test(repository.read(".bazelrc") ?? "")) {
    throw refusal(
      ".bazelrc",
      ".bazelrc turns modules off, and `slipway init` writes MODULE.bazel.",
      "Remove --noenable_bzlmod there, or add Slipway to WORKSPACE by hand: docs/workspace.md.",
    );
  }
}

function addBootstrap(
  repository: Repository,
  bootstrap: Files,
  files: Record<string, string>,
  notes: string[],
): string {
  const own = Object.entries(bootstrap).find(([path, text]) => (repository.read(path) ?? text) !== text);
  if (!own) {
    for (const [path, text] of Object.entries(bootstrap)) if (!repository.exists(path)) files[path] = text;
    return "tools/bazel";
  }
  const [path] = own;
  // The file of another version of Slipway works too.
  if (repository.exists("tools/bootstrap/choose.sh") && repository.exists("tools/bazel")) return "tools/bazel";
  notes.push(`${path} is there already, so the commands below use the bazel on PATH.`);
  return "bazel";
}

function slipwayStanza(module: ModuleFile, { version, source }: Request): string[] {
  const present = module.dependency("slipway");
  if (!present) {
    const dep =
      version === undefined ? 'bazel_dep(name = "slipway")' : `bazel_dep(name = "slipway", version = "${version}")`;
    const isOverridden = source === "" || module.override("slipway") !== undefined;
    return [isOverridden ? dep : `${dep}\n${source}`];
  }
  if (present.repoName === "slipway") return [];
  throw refusal(
    "MODULE.bazel",
    `MODULE.bazel calls Slipway @${present.repoName}, but the files of \`slipway init\` call it @slipway.`,
    `Remove repo_name = "${present.repoName}" from its bazel_dep, and run the command again.`,
  );
}

function block(stanzas: readonly string[], exists: boolean): string {
  const text = `${stanzas.join("\n\n")}\n`;
  return exists ? `\n# Added by \`slipway init\`:\n\n${text}` : text;
}

const lockFiles = {
  any: [],
  python: ["requirements.in", "requirements.txt"],
  typescript: ["package.json", "pnpm-lock.yaml"],
} as const;

interface Program {
  readonly place: string;
  /** Empty, or its path with a slash at the end. */
  readonly folder: string;
  readonly files: Files;
  readonly stanzas: readonly string[];
  readonly notes: readonly string[];
}

/** Uses the root if that is free or already has this program, else a folder. */
function programFor(repository: Repository, templates: Templates, language: Language, module: ModuleFile): Program {
  const isLocked = hasLock(repository, language);
  const hasOther = !isLocked && lockFiles[language].some((name) => repository.exists(name));
  const notes = hasOther ? [otherLock[language]] : [];
  for (const place of places()) {
    const made = programAt(place, isLocked, repository, templates.programs[language], language, module);
    const present = Object.entries(made.files).filter(([path]) => repository.exists(path));
    const isOwn = present.every(([path, text]) => repository.read(path) === text);
    const isFree =
      place === "" ? !hasOther && !repository.exists("BUILD") : !repository.exists(place) || present.length > 0;
    if (!isOwn || !isFree) continue;
    const files = Object.fromEntries(Object.entries(made.files).filter(([path]) => !repository.exists(path)));
    return { ...made, files, place, folder: place === "" ? "" : `${place}/`, notes };
  }
  throw new Error("there are always more places");
}

const otherLock = {
  any: "",
  python: "requirements.txt has no hashes, so the program has a requirements.txt of its own.",
  typescript: "package.json has no pnpm-lock.yaml (version 9) beside it, so the program has both of its own.",
} as const;

function* places(): Generator<string> {
  yield "";
  yield "hello";
  for (let number = 2; ; number++) yield `hello_${number}`;
}

function hasLock(repository: Repository, language: Language): boolean {
  if (language === "any") return false;
  if (language === "python") return /--hash=sha256:/.test(repository.read("requirements.txt") ?? "");
  return repository.exists("package.json") && /^lockfileVersion: '?9/m.test(repository.read("pnpm-lock.yaml") ?? "");
}

function programAt(
  place: string,
  isLocked: boolean,
  repository: Repository,
  texts: Files,
  language: Language,
  module: ModuleFile,
): Pick<Program, "files" | "stanzas"> {
  const path = (name: string) => (place === "" ? name : `${place}/${name}`);
  const label = (name: string) => `//${isLocked ? "" : place}:${name}`;
  const files: Record<string, string> = {};
  // Files of the root have labels only if it is a package.
  const isPackage = ["BUILD", "BUILD.bazel"].some((name) => repository.exists(name));
  if (isLocked && place !== "" && !isPackage) files["BUILD.bazel"] = "";
  const locks: readonly string[] = lockFiles[language];
  if (!isLocked) for (const name of locks) files[path(name)] = texts[name] ?? "";

  const stanzas: string[] = [];
  let values: Record<string, string> = { target: `//${place}:main`, folder: place === "" ? "" : `${place}/` };
  if (language === "typescript") {
    const has = !isLocked || /"simple-statistics":/.test(repository.read("package.json") ?? "");
    const labels = { package_json: label("package.json"), pnpm_lock: label("pnpm-lock.yaml") };
    values = { ...values, ...typescriptValues(has, install(module, "npm", "npm", labels, stanzas)) };
  } else if (language === "python") {
    const has = !isLocked || /^tabulate==/m.test(repository.read("requirements.txt") ?? "");
    const labels = { requirements: label("requirements.txt") };
    values = { ...values, ...pythonValues(has, install(module, "python", "pip", labels, stanzas)) };
  } else if (!module.dependency("rules_shell")) {
    stanzas.push('bazel_dep(name = "rules_shell", version = "0.4.0")');
  }
  for (const [name, text] of Object.entries(texts)) {
    if (!locks.includes(name)) files[path(name)] = fill(text, values);
  }
  return { files, stanzas };
}

/** Declares it unless that is already done. */
function install(
  module: ModuleFile,
  extension: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  stanzas: string[],
): string {
  const known = module.extension(extensions, extension);
  const [[key = "", label = ""] = []] = Object.entries(labels).reverse();
  const present = known && module.tagged(known, "install", key, label);
  if (present) return present;
  const free = (wanted: string) => (module.has(wanted) ? `hello_${wanted}` : wanted);
  const variable = known ?? free(extension);
  const repo = free(name);
  const lines = Object.entries(labels).map(([each, value]) => `    ${each} = "${value}",\n`);
  const use = known ? "" : `${variable} = use_extension("${extensions}", "${extension}")\n`;
  stanzas.push(
    `${use}${variable}.install(\n    name = "${repo}",\n${lines.join("")})\nuse_repo(${variable}, "${repo}")`,
  );
  return repo;
}

function typescriptValues(hasPackage: boolean, repo: string): Record<string, string> {
  if (hasPackage) {
    return {
      deps: `    deps = ["@${repo}//:simple-statistics"],\n`,
      import: 'import { mean } from "simple-statistics";\n',
      define: "",
    };
  }
  return {
    deps: `    # Every package that a module imports: "@${repo}//:NAME".\n    deps = [],\n`,
    import: "",
    define: "\nconst mean = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;\n",
  };
}

function pythonValues(hasPackage: boolean, repo: string): Record<string, string> {
  const packages = `@${repo}//:packages`;
  return hasPackage
    ? { packages, import: "from tabulate import tabulate\n", print: '    print(tabulate([result], headers="keys"))\n' }
    : { packages, import: "", print: "    print(f\"average: {result['mean']}, computed on {result['host']}\")\n" };
}
