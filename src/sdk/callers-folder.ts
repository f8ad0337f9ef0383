import { resolve } from "node:path";

/** A path relative to the user's folder: `bazel run` starts programs in their runfiles and passes that in a variable. */
export function callersFolder(path = ""): string {
  return resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? "", path);
}
