import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { findExecutable } from "../../core/executables.ts";
import { cacheFolder } from "../../core/user-folders.ts";
import { condaClients } from "../../python-environments/conda.ts";
import { findBazel } from "../dev/bazel.ts";
import { ask } from "./command-output.ts";
import { broken, type Finding } from "./finding.ts";

/** Bazel is the one that runs this command, a workspace's `tools/bazel`, or an installed one. */
export async function examineBazel(env: Environment, folder: string): Promise<Finding> {
  const remedy = "npm install --global @bazel/bazelisk";
  const neededFor = "building and running targets; jobs, images and credentials do without";
  const part = { part: "Bazel", neededFor, required: isInWorkspace(folder) };
  const found = env["BUILD_WORKSPACE_DIRECTORY"] ? "runs this command" : findBazel(env, folder);
  if (found !== undefined) return { ...part, state: "ok", detail: found };
  return { ...part, state: "missing", detail: "neither bazel nor bazelisk", remedy };
}

function isInWorkspace(folder: string): boolean {
  if (["MODULE.bazel", "WORKSPACE.bazel", "WORKSPACE"].some((name) => existsSync(join(folder, name)))) return true;
  return dirname(folder) !== folder && isInWorkspace(dirname(folder));
}

export async function examinePip(env: Environment): Promise<Finding> {
  const part = {
    part: "pip",
    neededFor: "Python programs with packages (py_pipeline), jobs with PipRequirements or PoetryProject",
    required: false,
  };
  const remedy = "apt-get install python3-pip";
  const path = findExecutable("python3", env);
  if (path === undefined) return { ...part, state: "missing", detail: "python3 is not on PATH", remedy };
  const answer = await ask(path, ["-m", "pip", "--version"]);
  if ("problem" in answer) return { ...part, state: "missing", detail: `${path} -m pip: ${answer.problem}`, remedy };
  return { ...part, state: "ok", detail: answer.output };
}

/** Slipway uses the first one found. */
export async function examineConda(env: Environment): Promise<Finding> {
  const remedy = "Install micromamba: https://mamba.readthedocs.io";
  const part = { part: "conda", neededFor: "jobs with CondaEnv", required: false };
  const name = condaClients.find((each) => findExecutable(each, env) !== undefined);
  if (name !== undefined) return examineVersion(name, part, remedy, env);
  return { ...part, state: "missing", detail: `none of ${condaClients.join(", ")} is on PATH`, remedy };
}

/** npm is a fallback if Bazel cannot download Node and the package managers. */
export async function examineNpm(env: Environment): Promise<Finding> {
  const part = {
    part: "npm",
    neededFor: "networks in which Bazel does not reach nodejs.org, and `slipway dev` without ibazel",
    required: false,
  };
  return examineVersion("npm", part, "apt-get install npm", env);
}

export async function examineGit(env: Environment): Promise<Finding> {
  const part = { part: "git", neededFor: "jobs with GitRepository, and `image_git`", required: false };
  return examineVersion("git", part, "apt-get install git", env);
}

const leastFree = 1024 ** 3;

export async function examineDisk(env: Environment): Promise<Finding> {
  const part = { part: "disk", neededFor: "images and what programs keep", required: false } as const;
  try {
    let folder = cacheFolder(env);
    while (!existsSync(folder)) folder = dirname(folder);
    const { bavail, bsize } = await statfs(folder);
    const detail = `${((bavail * bsize) / 1e9).toFixed(1)} GB free in ${folder}`;
    if (bavail * bsize >= leastFree) return { ...part, state: "ok", detail };
    const remedy = "Free space: `slipway registry gc --now`, `podman system prune`, `bazel clean`";
    return { ...part, state: "broken", detail, remedy };
  } catch (error) {
    return broken(part, error);
  }
}

async function examineVersion(
  name: string,
  part: Pick<Finding, "part" | "neededFor" | "required">,
  remedy: string,
  env: Environment,
): Promise<Finding> {
  const path = findExecutable(name, env);
  if (path === undefined) return { ...part, state: "missing", detail: "not on PATH", remedy };
  const answer = await ask(path, ["--version"]);
  if ("problem" in answer) return { ...part, state: "broken", detail: `${path} --version: ${answer.problem}`, remedy };
  return { ...part, state: "ok", detail: `${answer.output.replace(/^(?=\d)/, `${name} `)} (${path})` };
}
