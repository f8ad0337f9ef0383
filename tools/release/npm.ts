import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { UserError } from "../../src/oci/errors.ts";

const helpers = [
  "bazel-credential-slipway",
  "docker-credential-slipway",
  "git-credential-slipway",
  "git-ssh-slipway",
] as const;

const sheBang = "#!/usr/bin/env -S node --disable-warning=ExperimentalWarning\n";

/**
 * What the npm package has besides the bundles: package.json, an executable module per program, and the types of the SDK.
 *
 * @param manifest text of the repository's package.json
 * @param declarations folder of what the TypeScript compiler wrote for the SDK and everything that it imports
 * @throws UserError when a field or a declaration is missing
 */
export function npmFiles(manifest: string, declarations: string, version: string): ReadonlyMap<string, string> {
  const { description, license, engines } = JSON.parse(manifest) as Readonly<Record<string, unknown>>;
  if (!description || !license || !engines) {
    throw new UserError("package.json has no description, license or engines.", "Add the field.");
  }
  const files = new Map<string, string>();
  const bin: Record<string, string> = {};
  for (const name of ["slipway", ...helpers]) {
    bin[name] = `bin/${name}.mjs`;
    files.set(`bin/${name}.mjs`, sheBang + (name === "slipway" ? commandLine : helper(name)));
  }
  const own = { types: "./types/sdk/index.d.ts", default: "./index.mjs" };
  const exported = { ".": own, "./package.json": "./package.json" };
  const fields = { name: "slipway", version, description, license, type: "module", engines, exports: exported, bin };
  files.set("package.json", `${JSON.stringify(fields, undefined, 2)}\n`);
  for (const [path, text] of reachable("sdk/index.d.ts", (path) => readFileSync(join(declarations, path), "utf8"))) {
    files.set(`types/${path}`, text);
  }
  return files;
}

const commandLine = 'import "../slipway.bundle/main.mjs";\n';

/** The helpers are one program, whose first argument says which. */
function helper(name: string): string {
  return `process.argv.splice(2, 0, "${name}");\nawait import("../credential_helpers.bundle/helpers_main.mjs");\n`;
}

/**
 * A declaration file and those that it leads to, with imports in the form that every TypeScript takes: `./x.js` for `./x.d.ts`.
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
