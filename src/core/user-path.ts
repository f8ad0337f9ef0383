import { resolve } from "node:path";

/**
 * Resolves a path that a person wrote, such as an argument of the program: `bazel run` starts programs in their
 * runfiles, not where the person is. `file`, `folder`, `save` and volumes do this themselves.
 *
 * @param path Default: the folder where `bazel run` was called, or the current one without it
 * @returns an absolute path
 */
export function userPath(path = ""): string {
  return resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? "", path);
}
