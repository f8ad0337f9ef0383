import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { type ProgramResult, runProgram } from "../core/run-program.ts";
import type { EnvironmentSource } from "./model.ts";
import { poetryRequirements } from "./poetry.ts";
import type { LocalPython } from "./python.ts";
import { checkRequirements } from "./requirements.ts";
import { findUv, lastCause, uvError } from "./uv.ts";

/** The packages to install, as arguments of `uv pip install`. */
async function pipRequirements(source: EnvironmentSource, temporary: string): Promise<string[]> {
  const [first = "", second = ""] = source.files.keys();
  const read = (name: string) => readFile(source.files.get(name) ?? name, "utf8");
  if (source.kind !== "PoetryProject") {
    await checkRequirements(first, source.files);
    return ["--requirement", source.files.get(first) ?? first];
  }
  const lines = poetryRequirements(await read(first), await read(second), source.path);
  const file = join(temporary, "poetry-requirements.txt");
  await writeFile(file, `${lines.join("\n")}\n`);
  // A lock names all there is.
  return ["--no-deps", "--requirement", file];
}

/** Installs only wheels whose hashes are known. */
const exactly = [
  "--require-hashes",
  "--only-binary=:all:",
  "--index-strategy=unsafe-best-match",
  "--link-mode=copy",
  "--color=never",
  "--no-progress",
];

export async function installHere(
  source: EnvironmentSource,
  python: LocalPython,
  options: { readonly prefix: string; readonly temporary: string; readonly env: Environment },
): Promise<void> {
  const { prefix, temporary } = options;
  const requirements = await pipRequirements(source, temporary);
  const uv = await findUv(options.env, temporary);
  const run = (args: readonly string[]) => runProgram(uv.path, args, { env: uv.env, cwd: temporary });
  const venv = await run(["venv", "--quiet", "--allow-existing", `--python=${python.path}`, prefix]);
  if (venv.status !== 0) {
    throw new Failure(
      { code: "environment-failed", culprit: python.path },
      `uv could not make a virtual environment of ${python.path}: ${lastCause(venv.stderr)}.`,
      "Check that this Python is complete, or set `python` to another installed version.",
    );
  }
  const args = ["pip", "install", `--python=${join(prefix, "bin/python")}`, "--compile-bytecode", ...exactly];
  checkInstalled(await run([...args, ...requirements]), source, `Python ${python.version} on this machine`);
}

/**
 * Into `lib/python3.N/site-packages`, N of this machine, for another interpreter of version `3.12.1` or `3.12`.
 *
 * @returns the interpreter in the first line of scripts
 */
export async function installFor(
  source: EnvironmentSource,
  python: string,
  options: {
    readonly folder: string;
    readonly platform: string;
    readonly temporary: string;
    readonly env: Environment;
  },
): Promise<string> {
  const { folder, platform, temporary } = options;
  const requirements = await pipRequirements(source, temporary);
  const uv = await findUv(options.env, temporary);
  const name = `${machineOf(platform).wheels}-${glibc}`;
  const place = [`--prefix=${folder}`, `--python-version=${python}`, `--python-platform=${name}`];
  const args = ["pip", "install", `--python=${uv.python}`, ...place, "--no-compile-bytecode", ...exactly];
  const result = await runProgram(uv.path, [...args, ...requirements], { env: uv.env, cwd: temporary });
  checkInstalled(result, source, `Python ${python} on ${platform}`);
  return uv.python;
}

function checkInstalled({ status, stderr }: ProgramResult, source: EnvironmentSource, place: string): void {
  if (status === 0) return;
  const { path: file, kind } = source;
  throw uvError(stderr, "install", { file, what: `${kind} ${file}`, place });
}

/** Processors by their name in images: their name in wheels, and conda's name. */
const machines: Readonly<Record<string, { wheels: string; conda: string }>> = {
  amd64: { wheels: "x86_64", conda: "linux-64" },
  arm64: { wheels: "aarch64", conda: "linux-aarch64" },
};

/** The oldest glibc of images: that of Debian 10 and RHEL 8. */
const glibc = "manylinux_2_28";

export function condaPlatform(platform: string): string {
  return machineOf(platform).conda;
}

function machineOf(platform: string): { wheels: string; conda: string } {
  const [os = "", architecture = ""] = platform.split("/");
  const machine = machines[architecture];
  if (os === "linux" && machine) return machine;
  const possible = Object.keys(machines).map((name) => `linux/${name}`);
  throw new UserError(
    { code: "field-invalid", culprit: "platform" },
    `An environment cannot be made for ${platform}.`,
    `Set \`platform\` to one of ${possible.join(", ")}.`,
  );
}
