import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";

function* ancestors(path: string): Generator<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}

/**
 * Returns the path of a file in the program's `data`. Works under Bazel, in the image, and with plain Node in a
 * checkout.
 *
 * @param path the file's path in the repository, such as `examples/quickstart/arrivals.csv`. For a file of another
 *   repository, start with `REPOSITORY/`
 * @param env the environment variables. Default: those of the process
 * @param program the path of the program's module. Default: the one that was started
 * @returns a path that you can open
 * @throws UserError if the file is neither in the runfiles nor beside the program
 */
export function dataFile(path: string, env: Environment = process.env, program = process.argv[1] ?? ""): string {
  const runfiles = env["RUNFILES_DIR"];
  // The program is at REPOSITORY/package/… in its runfiles, so its parent folders include its repository.
  const roots = [
    ...(runfiles ? [join(runfiles, env["SLIPWAY_MAIN_REPOSITORY"] ?? "_main"), runfiles] : []),
    ...ancestors(resolve(program)),
  ];
  const found = roots.map((root) => join(root, path)).find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new UserError(
    { code: "file-unreadable", culprit: path },
    `This program has no file ${path}.`,
    "Add it to `data` of the target, and name it by its path in the repository.",
  );
}
