import { dirname, join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { findExecutable, isExecutable } from "../../core/executables.ts";

/** bazelisk and Bazel on PATH run a workspace's `tools/bazel` themselves, so that file only counts without them. */
export function findBazel(env: Environment, folder: string): string | undefined {
  return findExecutable("bazelisk", env) ?? findExecutable("bazel", env) ?? findUpwards(folder, "tools/bazel");
}

function findUpwards(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  if (isExecutable(path)) return path;
  return dirname(folder) === folder ? undefined : findUpwards(dirname(folder), name);
}
