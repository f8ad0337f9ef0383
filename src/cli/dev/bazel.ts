import { dirname, join } from "node:path";
import type { Environment } from "../../core/environment.ts";
import { findExecutable, isExecutable } from "../../core/executables.ts";

/**
 * The Bazel that a user's command line would start: bazelisk or Bazel on PATH, which both look for a workspace's `tools/bazel`
 * themselves; else that file, of the folder or of one above it.
 *
 * @returns its path, or undefined where there is none
 */
export function findBazel(env: Environment, folder: string): string | undefined {
  return findExecutable("bazelisk", env) ?? findExecutable("bazel", env) ?? findUpwards(folder, "tools/bazel");
}

function findUpwards(folder: string, name: string): string | undefined {
  const path = join(folder, name);
  if (isExecutable(path)) return path;
  return dirname(folder) === folder ? undefined : findUpwards(dirname(folder), name);
}
