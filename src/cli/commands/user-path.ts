import { resolve } from "node:path";
import process from "node:process";

/** The path of a file as the user means it: `bazel run` starts programs in their runfiles, and says where the user is. */
export function userPath(file: string): string {
  return resolve(process.env["BUILD_WORKING_DIRECTORY"] ?? process.cwd(), file);
}
