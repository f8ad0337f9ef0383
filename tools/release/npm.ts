import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { UserError } from "../../src/core/errors.ts";

const helpers = [
  "bazel-credential-slipway",
  "docker-credential-slipway",
  "git-credential-slipway",
  "git-ssh-slipway",
] as const;

/**
 * The start of every program, in a JavaScript and a shebang that every Node takes: whoever has an old one is told
 * so. Newer syntax and modules come
 * after that, in `run.cjs`. Options of Node cannot be in the shebang, since an old Node refuses those that it does
 * not know.
 */
function start(name: string, leastNode: number): string {
  return `#!/usr/bin/env node
"use strict";
var version = process.versions.node;
if (Number(version.split(".")[0]) < ${leastNode}) {
  process.stderr.write("${name}: this is Node " + version + ", and slipway needs Node ${leastNode} or newer.\\nInstall Node ${leastNode}, and put it first in PATH.\\n");
  process.exit(2);
}
`;
}

/** Loads a program, without the warnings of features that Node calls experimental. */
const run = `"use strict";
const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  const type = warning?.name ?? rest[0]?.type ?? rest[0];
  if (type !== "ExperimentalWarning") emitWarning(warning, ...rest);
};
module.exports = (path) => import(path);
`;

/** The same as on PyPI, where `slipway` is another project. */
const packageName = "bazel-slipway";

/** The release archive; without `url` before it is published. */
interface Release {
  readonly url: string | undefined;
  readonly integrity: string;
  readonly strip_prefix: string;
}

/**
 * Files of the npm package besides the bundles: package.json, an executable script per program, and the types of
 * the SDK.
 *
 * @param manifest text of the repository's package.json
 * @param declarations folder of what the TypeScript compiler wrote for the SDK and everything that it imports
 * @param release what `slipway init` writes into MODULE.bazel
 * @throws UserError when a field or a declaration is missing
 */
export function npmFiles(
  manifest: string,
  declarations: string,
  version: string,
  release: Release,
): ReadonlyMap<string, string> {
  const { description, license, engines } = JSON.parse(manifest) as Readonly<Record<string, unknown>>;
  if (!description || !license || !engines) {
    throw invalid("package.json has no description, license or engines.", "Add the field.");
  }
  const leastNode = Number(/^>=(\d+)$/.exec((engines as { readonly node?: string }).node ?? "")?.[1]);
  if (!leastNode)
    throw invalid("engines.node of package.json is not of the form >=24.", "Name the oldest major version.");
  const files = new Map<string, string>();
  const bin: Record<string, string> = {};
  // npx starts the program that has the package's name.
  for (const name of [packageName, "slipway", ...helpers]) {
    const rest = helpers.some((each) => each === name) ? helper(name) : commandLine;
    bin[name] = `bin/${name}.cjs`;
    files.set(`bin/${name}.cjs`, start(name, leastNode) + rest);
  }
  files.set("bin/run.cjs", run);
  const own = { types: "./types/sdk/index.d.ts", default: "./index.mjs" };
  const exported = { ".": own, "./package.json": "./package.json" };
  const common = { name: packageName, version, description, license, type: "module", engines };
  const fields = { ...common, exports: exported, bin, slipway: release };
  files.set("package.json", `${JSON.stringify(fields, undefined, 2)}\n`);
  for (const [path, text] of reachable("sdk/index.d.ts", (path) => readFileSync(join(declarations, path), "utf8"))) {
    files.set(`types/${path}`, text);
  }
  return files;
}

function invalid(problem: string, remedy: string): UserError {
  return new UserError({ code: "file-invalid", culprit: "package.json" }, problem, remedy);
}

const commandLine = 'require("./run.cjs")("../slipway.bundle/main.mjs");\n';

/** The helpers are one program, whose first argument says which. */
function helper(name: string): string {
  return `process.argv.splice(2, 0, "${name}");\nrequire("./run.cjs")("../credential_helpers.bundle/helpers-main.mjs");\n`;
}

/**
 * A declaration file and those that it leads to, with imports in the form that every TypeScript takes: `./x.js` for
 * `./x.d.ts`.
 *
 * @param read gives a file's text by its path
 */
export function reachable(start: string, read: (path: string) => string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const pending = [start];
  for (const path of pending) {
    if (files.has(path)) continue;
    files.set(
      path,
      read(path).replace(/((?:from|import)\s*\(?\s*")(\.[^"]*)\.ts"/g, (_, before: string, module: string) => {
        pending.push(posix.join(posix.dirname(path), `${module}.d.ts`));
        return `${before}${module}.js"`;
      }),
    );
  }
  return files;
}
