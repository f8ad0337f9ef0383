import { resolve } from "node:path";
import process from "node:process";

/** Resolves a path in the user's folder. `bazel run` starts programs in their runfiles and passes that folder in a variable. */
export function userPath(file: string): string {
  return resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? process.cwd(), file);
}
