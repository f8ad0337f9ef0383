import { readFile } from "node:fs/promises";
import { platform as system } from "node:process";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { runProgram, tryProgram } from "../core/run-program.ts";
import { ownArchitecture } from "../oci/descriptor.ts";
import { installerVariables, withoutPasswords } from "./installer-variables.ts";
import { type EnvironmentSource, isWanted } from "./model.ts";
import { condaPlatform } from "./pip.ts";

/** Programs that make conda environments, the fastest first. */
export const condaClients = ["micromamba", "mamba", "conda"] as const;

type CondaClient = (typeof condaClients)[number];

/**
 * With the client's own channels. Explicit URLs (`@EXPLICIT`) are installed as they are, other files solved.
 *
 * @param platform of an image; undefined: this machine
 */
export async function createConda(
  source: EnvironmentSource,
  platform: string | undefined,
  options: { readonly prefix: string; readonly temporary: string; readonly env: Environment },
): Promise<void> {
  const env = {
    ...installerVariables(options.env, options.temporary),
    ...(platform === undefined || isOwnPlatform(platform) ? {} : { CONDA_SUBDIR: condaPlatform(platform) }),
  };
  const [name = ""] = source.files.keys();
  const file = source.files.get(name) ?? name;
  const isExplicit = /^@EXPLICIT\s*$/m.test(await readFile(file, "utf8"));
  const client = await findConda(env);
  // conda and mamba do not take an explicit file for the specification of an environment.
  const command = isExplicit || client === "micromamba" ? ["create"] : ["env", "create"];
  const { status, stdout, stderr } = await runProgram(
    client,
    [...command, "--yes", "--quiet", "--prefix", options.prefix, "--file", file],
    { env, cwd: options.temporary },
  );
  if (status !== 0) throw refusal(client, source, withoutPasswords(`${stdout}\n${stderr}`));
  if (platform === undefined || isOwnPlatform(platform)) await checkPython(source, options.prefix, env);
}

async function findConda(env: Environment): Promise<CondaClient> {
  for (const name of condaClients) {
    if ((await tryProgram(name, ["--version"], { env })).status === 0) return name;
  }
  throw new UserError(
    { code: "program-missing", culprit: "conda" },
    "None of conda, mamba and micromamba is on this machine.",
    "Install one of them, for example micromamba, which is one file: https://mamba.readthedocs.io.",
  );
}

function isOwnPlatform(platform: string): boolean {
  const [os, architecture] = platform.split("/");
  return os === system && architecture === ownArchitecture();
}

async function checkPython({ python, path }: EnvironmentSource, prefix: string, env: Environment): Promise<void> {
  const question = ["-c", "import platform; print(platform.python_version())"];
  const { status, stdout } = await tryProgram(`${prefix}/bin/python`, question, { env });
  const version = stdout.trim();
  if (status === 0 && isWanted(python, version)) return;
  const [found, remedy] =
    status === 0
      ? [`Python ${version}, not ${python}`, "Name the same version in the file and in `python`."]
      : ["no Python", "Add python to its dependencies."];
  throw new UserError({ code: "file-invalid", culprit: path }, `The environment of ${path} has ${found}.`, remedy);
}

const unreachable =
  /CondaHTTPError|ConnectionError|Could not resolve host|Connection (refused|timed out|reset)|HTTP 5\d\d|Failed to (fetch|connect)/i;

function refusal(client: CondaClient, { path }: EnvironmentSource, said: string): Error {
  const failed = `${client} could not make the environment of ${path}`;
  const lines = said.split("\n").map((line) => line.trim());
  if (unreachable.test(said)) {
    return new Failure(
      { code: "repository-failed", culprit: path },
      `${failed}: a channel does not answer.`,
      "Check the network and the channels of the file; downloaded packages are kept.",
    );
  }
  const problem = lines.find((line) =>
    /(error|nothing provides|does not exist|Could not solve|not found|Cannot|Unsatisfiable)/i.test(line),
  );
  const shown = (problem ?? lines.findLast((line) => line !== "") ?? "it printed nothing").replace(/\.$/, "");
  return new UserError(
    { code: "environment-failed", culprit: path },
    `${failed}: ${shown}.`,
    "Correct the file, or the channels that it names.",
  );
}
