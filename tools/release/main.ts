import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { exitStatusOf, reportOf, UserError } from "../../src/core/errors.ts";
import { notices } from "./notices.ts";
import { npmFiles } from "./npm.ts";
import { metadata, stampPyproject } from "./python.ts";
import { packedReadme, releaseUrl } from "./repository.ts";
import { stampModule } from "./stamp-module.ts";
import { wheel } from "./wheel.ts";

type Files = ReadonlyMap<string, string>;

/**
 * What makes a release of the build's outputs, `COMMAND VERSION OUTPUT FILE…`:
 *
 *     module VERSION FILE MODULE.bazel                  MODULE.bazel of the archive
 *     npm VERSION FOLDER package.json DECLARATIONS ARCHIVE source.json metadata.json
 *                                                       package.json, bins and types of the npm package
 *     readme VERSION FILE README.md metadata.json       README of packages
 *     notices VERSION FILE FILE…                        licenses of the npm packages in the bundles
 *     wheel VERSION FILE pyproject.toml README.md LICENSE FILE…
 *                                                       the Python package
 *     sdist VERSION FOLDER pyproject.toml README.md     what its source distribution has besides the sources
 */
const commands: Readonly<Record<string, (version: string, inputs: readonly string[]) => Files | Uint8Array | string>> =
  {
    module: (version, [module = ""]) => stampModule(read(module), version),
    npm: (version, [manifest = "", declarations = "", archive = "", source = "", metadata = ""]) =>
      npmFiles(read(manifest), declarations, version, {
        url: releaseUrl(read(source), read(metadata), version),
        integrity: `sha256-${createHash("sha256").update(readFileSync(archive)).digest("base64")}`,
        strip_prefix: `slipway-${version}`,
      }),
    readme: (version, [readme = "", metadata = ""]) => packedReadme(read(readme), read(metadata), version),
    notices: (_version, files) => notices(files),
    wheel: (version, [project = "", readme = "", license = "", ...modules]) =>
      wheel(metadata(read(project), read(readme), version), version, license, modules),
    sdist: (version, [project = "", readme = ""]) =>
      new Map([
        ["pyproject.toml", stampPyproject(read(project), version)],
        ["PKG-INFO", metadata(read(project), read(readme), version)],
      ]),
  };

function read(path: string): string {
  return readFileSync(path, "utf8");
}

function main([name = "", version = "", output = "", ...inputs]: readonly string[]): void {
  const command = commands[name];
  if (!command) {
    throw new UserError(
      { code: "command-line-invalid", culprit: name },
      `${JSON.stringify(name)} is not a command.`,
      `Use one of ${Object.keys(commands).join(", ")}.`,
    );
  }
  const made = command(version, inputs);
  const files: Iterable<readonly [string, string | Uint8Array]> =
    typeof made === "string" || made instanceof Uint8Array
      ? [[output, made]]
      : [...made].map(([path, content]) => [join(output, path), content]);
  for (const [file, content] of files) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

try {
  main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${reportOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
}
