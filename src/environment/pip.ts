import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure, UserError } from "../oci/errors.ts";
import { type CommandResult, installerVariables, runCommand, type Variables, withoutPasswords } from "./command.ts";
import type { EnvironmentSource } from "./model.ts";
import { poetryRequirements } from "./poetry.ts";
import { findPip, type LocalPython } from "./python.ts";
import { checkRequirements } from "./requirements.ts";

/** What is installed, as arguments of `pip install`. */
export async function pipRequirements(source: EnvironmentSource, temporary: string): Promise<string[]> {
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

/** Nothing but wheels whose hashes are known: neither what is installed nor what runs meanwhile is left to chance. */
const exactly = ["--require-hashes", "--only-binary=:all:", "--no-warn-script-location", "--quiet"];

/** Installs into a virtual environment of this machine. */
export async function installHere(
  source: EnvironmentSource,
  python: LocalPython,
  options: { readonly prefix: string; readonly temporary: string; readonly env: Variables },
): Promise<void> {
  const { prefix, temporary } = options;
  const env = installerVariables(options.env, temporary);
  const requirements = await pipRequirements(source, temporary);
  const pip = await findPip(python.path, env);
  const venv = await runCommand(python.path, ["-m", "venv", "--without-pip", prefix], { env, cwd: temporary });
  if (venv.status !== 0) {
    throw new UserError(
      `${python.path} makes no virtual environment: ${lastLine(venv.stderr)}.`,
      "Install its module venv: `apt-get install python3-venv`.",
    );
  }
  const args = ["-m", "pip", "--python", join(prefix, "bin/python"), "install", ...exactly, ...requirements];
  checkInstalled(
    await runCommand(pip, args, { env, cwd: temporary }),
    source,
    `Python ${python.version} on this machine`,
  );
}

/** Where packages are installed to without there being an interpreter for them. */
export interface ForeignTarget {
  /** Of the interpreter: `3.12.1`, or `3.12` where no more is known. */
  readonly python: string;
  /** `os/architecture[/variant]`. */
  readonly platform: string;
  /** Platform tags of wheels, best first. */
  readonly tags: readonly string[];
  /** What conditions in requirements are about: PEP 508, "Environment Markers". */
  readonly markers: Readonly<Record<string, string>>;
}

/** pip takes platform and version for choosing wheels from options, but asks conditions of the interpreter that it runs on. */
const program = `
import json, sys
from pip._vendor.packaging import markers
target = json.loads(sys.argv.pop(1))
markers.default_environment = lambda: dict(target)
from pip._internal.cli.main import main
sys.exit(main())
`;

/**
 * Installs for another interpreter into a folder, as `pip install --target` does.
 *
 * @returns the interpreter that pip ran on, which is in the first line of scripts
 */
export async function installFor(
  source: EnvironmentSource,
  target: ForeignTarget,
  options: { readonly folder: string; readonly temporary: string; readonly env: Variables },
): Promise<string> {
  const { folder, temporary } = options;
  const env = installerVariables(options.env, temporary);
  const requirements = await pipRequirements(source, temporary);
  const pip = await findPip(undefined, env);
  const args = [
    "install",
    ...exactly,
    "--no-compile",
    `--target=${folder}`,
    `--python-version=${target.python}`,
    "--implementation=cp",
    ...target.tags.map((tag) => `--platform=${tag}`),
    ...requirements,
  ];
  const result = await runCommand(pip, ["-c", program, JSON.stringify(target.markers), ...args], {
    env,
    cwd: temporary,
  });
  checkInstalled(result, source, `Python ${target.python} on ${target.platform}`);
  const { stdout } = await runCommand(pip, ["-c", "import sys; print(sys.executable)"], { env });
  return stdout.trim();
}

function checkInstalled({ status, stderr }: CommandResult, source: EnvironmentSource, place: string): void {
  if (status === 0) return;
  const said = withoutPasswords(stderr);
  const errors = said.split("\n").flatMap((line) => (line.startsWith("ERROR: ") ? [line.slice(7).trim()] : []));
  const problem = `pip could not install what ${source.path} of ${source.kind} names`;
  if (/Retrying \(|NewConnectionError|ProxyError|ConnectTimeout|SSLError|HTTP error 5\d\d/.test(said)) {
    throw new Failure(
      `${problem}: the package index does not answer.`,
      "Check the network, and what `pip config list` says of the index; what was downloaded is kept.",
    );
  }
  if (/DO NOT MATCH THE HASHES/.test(said)) {
    const packages = [...said.matchAll(/^\s{4}(\S+) from /gm)].map(([, name]) => name).join(", ");
    throw new UserError(
      `${problem}: what the package index has of ${packages || "a package"} is not what its hash says.`,
      "Find out which is right before you write the hashes anew.",
    );
  }
  const missing = errors.flatMap((line) => /^No matching distribution found for (\S+)/.exec(line)?.[1] ?? []);
  if (missing.length > 0) {
    throw new UserError(
      `${problem}: ${missing.join(", ")} has no wheel for ${place}, or the package index does not have it.`,
      "Take a version that has one, or build a wheel and put it into your index; nothing is built from source here.",
    );
  }
  throw new UserError(`${problem}: ${errors[0] ?? lastLine(said)}`, "Correct the file, then run the job again.");
}

function lastLine(said: string): string {
  return (said.trim().split("\n").at(-1) ?? "").replace(/\.$/, "");
}
