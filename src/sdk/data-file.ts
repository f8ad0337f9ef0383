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
 * The path of a file in the program's `data`, wherever the program runs: under Bazel, in its image, or by Node in a checkout.
 *
 * @param path its path in the repository, `examples/quickstart/arrivals.csv`; that of another repository begins with `REPOSITORY/`
 * @param env the environment; by default the process's
 * @param program the program's module; by default the one that was started
 * @returns a path that can be opened
 * @throws UserError when the file is neither in the runfiles nor beside the program
 */
export function dataFile(path: string, env: Environment = process.env, program = process.argv[1] ?? ""): string {
  const runfiles = env["RUNFILES_DIR"];
  // The program lies in its runfiles at REPOSITORY/package/…: its folders lead to the repository that holds it, whatever its name.
  const roots = [
    ...(runfiles ? [join(runfiles, env["SLIPWAY_MAIN_REPOSITORY"] ?? "_main"), runfiles] : []),
    ...ancestors(resolve(program)),
  ];
  const found = roots.map((root) => join(root, path)).find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new UserError(
    `${path} is not among the files of this program.`,
    `Add it to \`data\` of the target, and name it by its path in the repository.`,
  );
}
