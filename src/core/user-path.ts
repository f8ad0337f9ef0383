import { resolve } from "node:path";

/** Resolves a path in the user's folder: `bazel run` starts programs in their runfiles. */
export function userPath(path = ""): string {
  return resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? "", path);
}
