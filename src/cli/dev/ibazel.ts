import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import lock from "../../../pnpm-lock.yaml" with { type: "text" };
import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import { findExecutable } from "../../core/executables.ts";
import { runProgram } from "../../core/run-program.ts";
import { cacheFolder } from "../../core/user-folders.ts";
import { ownArchitecture } from "../../oci/descriptor.ts";
import { lockedPackage } from "../npm-lock.ts";

const { version, integrity } = lockedPackage(lock, "@bazel/ibazel");

/** On PATH, else the npm package in the cache folder, checked against the digest in pnpm-lock.yaml. */
export async function findIbazel(env: Environment): Promise<string> {
  const onPath = findExecutable("ibazel", env);
  if (onPath !== undefined) return onPath;
  const folder = join(cacheFolder(env), `ibazel-${version}`);
  const system = `${process.platform}_${ownArchitecture()}`;
  const executable = join(folder, "node_modules/@bazel/ibazel/bin", system, "ibazel");
  if (!existsSync(executable)) await install(folder, env);
  if (existsSync(executable)) return executable;
  throw new UserError(
    { code: "program-missing", culprit: "ibazel" },
    `The package @bazel/ibazel ${version} has no program for ${system}.`,
    "Put an ibazel on PATH: https://github.com/bazelbuild/bazel-watcher.",
  );
}

async function install(folder: string, env: Environment): Promise<void> {
  const npm = findExecutable("npm", env);
  if (npm === undefined) {
    throw new UserError(
      { code: "program-missing", culprit: "ibazel" },
      "ibazel is not on PATH, nor is npm, which could install it.",
      "Install one of them: ibazel from https://github.com/bazelbuild/bazel-watcher, npm by `apt-get install nodejs npm`.",
    );
  }
  process.stderr.write(`slipway: ibazel is not on PATH, so npm brings ${version} into ${folder}\n`);
  await mkdir(cacheFolder(env), { recursive: true, mode: 0o700 });
  const partial = await mkdtemp(`${folder}.`);
  try {
    const dependencies = { "@bazel/ibazel": version };
    const packages = { "": { dependencies }, "node_modules/@bazel/ibazel": { version, integrity } };
    await writeFile(join(partial, "package.json"), JSON.stringify({ private: true, dependencies }));
    await writeFile(join(partial, "package-lock.json"), JSON.stringify({ lockfileVersion: 3, packages }));
    await clean(npm, partial, env);
    // If another process was faster, use its installation.
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function clean(npm: string, cwd: string, env: Environment): Promise<void> {
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"];
  const notice = "npm is installing @bazel/ibazel";
  const { status, stdout, stderr } = await runProgram(npm, ["ci", ...flags], { cwd, env, notice });
  if (status === 0) return;
  const said = `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "" && !/complete log/.test(line));
  throw new Failure(
    { code: "program-failed", culprit: "npm" },
    `npm cannot install @bazel/ibazel ${version}: ${said.at(-1)?.trim() ?? `it ended with status ${status}`}`,
    "Let npm reach its registry, or put an ibazel on PATH: https://github.com/bazelbuild/bazel-watcher.",
  );
}
