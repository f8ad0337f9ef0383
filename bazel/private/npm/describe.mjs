// Prints the BUILD file of an npm repository: a target for every package, which carries what the package needs at run time.
// Runs on the pinned Node, inside a repository rule.
import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

const [root = ".", rule = "", ...excludes] = process.argv.slice(2);

/** Every package folder below a node_modules folder, nested ones included: `node_modules/a`, `node_modules/a/node_modules/b`. */
function packagesBelow(modules) {
  const found = [];
  for (const name of namesIn(modules).filter((each) => !each.startsWith("."))) {
    const names = name.startsWith("@") ? namesIn(`${modules}/${name}`).map((n) => `${name}/${n}`) : [name];
    for (const full of names) {
      const folder = `${modules}/${full}`;
      // Packages that a package bundles have any name that its authors gave. Each becomes a label, and a pattern of a glob.
      if (!/^(@[\w.~-]+\/)?[\w.~-]+$/.test(full)) throw unusable(folder, "has a name that npm does not allow");
      if (!statSync(join(root, folder)).isDirectory()) continue;
      found.push(folder);
      if (namesIn(folder).includes("node_modules")) found.push(...packagesBelow(`${folder}/node_modules`));
    }
  }
  return found;
}

/** A lock can name a link to any folder of the build host, whose files would be in images, and whose BUILD files would be removed. */
function namesIn(folder) {
  if (lstatSync(join(root, folder)).isSymbolicLink()) throw unusable(folder, "is a link to a folder");
  return readdirSync(join(root, folder)).sort();
}

function unusable(folder, problem) {
  const message = `npm package ${outermost(folder)}: ${JSON.stringify(folder)} ${problem}.\nDo not use it. Lock another version of the package.`;
  return Object.assign(new Error(message), { stack: message });
}

/** The package in whose folder another one may lie, since two of one name cannot lie side by side. */
function outermost(folder) {
  return folder.split("/node_modules/")[0].slice("node_modules/".length);
}

/** A BUILD file that a package ships would cut its folder out of our globs. */
function removeBuildFiles(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) removeBuildFiles(path);
    else if (/^(BUILD|WORKSPACE|MODULE|REPO)(\.bazel)?$/.test(entry.name)) rmSync(join(root, path));
  }
}

/** Where Node finds `name` when it is asked for from `folder`: the nearest node_modules upwards. */
function resolve(folder, name, known) {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = at === "." ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (known.has(candidate)) return candidate;
    if (at === ".") return undefined;
  }
}

function dependencies(folder) {
  try {
    const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    return Object.keys({ ...manifest.peerDependencies, ...manifest.optionalDependencies, ...manifest.dependencies });
  } catch {
    throw unusable(folder, "has no package.json that can be read");
  }
}

/** Everything that is reachable from a package, itself included. npm packages may need each other in a circle. */
function closure(start, known) {
  const seen = new Set([start]);
  for (const folder of seen) {
    for (const name of dependencies(folder)) {
      const target = resolve(folder, name, known);
      if (target) seen.add(target);
    }
  }
  return [...seen].sort();
}

const modules = "node_modules";
const packages = existsSync(join(root, modules)) ? packagesBelow(modules) : [];
const known = new Set(packages);
const lock = ["pnpm-lock.yaml", "package-lock.json"].find((name) => existsSync(join(root, name)));
const locked = lock ? [`    lock = ${JSON.stringify(lock)},`] : [];
const lines = [
  `load(${JSON.stringify(rule)}, "npm_package")`,
  "",
  'package(default_visibility = ["//visibility:public"])',
  "",
  'exports_files(["package.json"])',
  "",
];
for (const folder of packages) {
  removeBuildFiles(folder);
  lines.push(
    "npm_package(",
    `    name = ${JSON.stringify(`files/${folder}`)},`,
    `    package = ${JSON.stringify(outermost(folder))},`,
    `    srcs = glob([${JSON.stringify(`${folder}/**`)}], exclude = ${JSON.stringify(["node_modules/**", ...excludes].map((pattern) => `${folder}/${pattern}`))}, allow_empty = True),`,
    '    visibility = ["//visibility:private"],',
    ")",
    "",
  );
}
for (const folder of packages) {
  const name = folder.slice(modules.length + 1);
  if (name.includes("/node_modules/")) continue;
  lines.push(
    "npm_package(",
    `    name = ${JSON.stringify(name)},`,
    `    deps = ${JSON.stringify(closure(folder, known).map((f) => `:files/${f}`))},`,
    ...locked,
    ")",
    "",
  );
}
lines.push(
  "npm_package(",
  '    name = "every_package",',
  `    deps = ${JSON.stringify(packages.map((folder) => `:files/${folder}`))},`,
  ...locked,
  ")",
  "",
);
// The binary of the package, with nothing around it: an action that has a folder and a file in it as inputs is an error.
if (known.has("node_modules/esbuild")) {
  lines.push('exports_files(["node_modules/esbuild/bin/esbuild"])', "");
}
process.stdout.write(lines.join("\n"));
