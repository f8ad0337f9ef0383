import { isBuiltin } from "node:module";
import { UserError } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";
import { Arguments } from "../arguments.ts";
import type { Context } from "../context.ts";
import { readInput } from "../files.ts";

interface Metafile {
  readonly inputs: Readonly<
    Record<string, { readonly imports: readonly { readonly path: string; readonly external?: boolean }[] }>
  >;
}

/**
 * `imports --metafile=PATH --target=LABEL --output=MARKER [--repository=NAME] [--package=NAME]…`: checks that every npm
 * package in esbuild's metafile is a dependency, since a missing one would only show when the program runs.
 */
export async function imports(args: readonly string[], context: Context): Promise<void> {
  const options = new Arguments(args, ["metafile", "target", "output", "repository", "package"], context);
  const declared = new Set(options.all("package"));
  const metafile: Metafile = JSON.parse(readInput(options.output("metafile")).toString("utf8"));
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    for (const { path, external } of imports) {
      if (!external || isBuiltin(path) || declared.has(packageOf(path))) continue;
      const line = lineOf(path, options.resolve(file));
      const label = `@${options.optional("repository") ?? "npm"}//:${packageOf(path)}`;
      const meant = nearest(packageOf(path), [...declared]);
      throw new UserError(
        { code: "target-invalid", culprit: `${file}${line}` },
        `${file}${line} imports the npm package ${packageOf(path)}, which is not a dependency of ${options.one("target")}.`,
        `${meant === undefined ? "Add" : `Did you mean ${meant}? If not, add`} "${label}" to its deps; if package.json does not have the package yet, add it there first.`,
      );
    }
  }
  options.write({ output: "" });
}

/** `@scope/name/file` belongs to `@scope/name`. */
function packageOf(path: string): string {
  return path.split("/", path.startsWith("@") ? 2 : 1).join("/");
}

/** Empty if it is not found. */
function lineOf(path: string, file: string): string {
  const index = readInput(file)
    .toString("utf8")
    .split("\n")
    .findIndex((line) => line.includes(`"${path}"`) || line.includes(`'${path}'`) || line.includes(`\`${path}\``));
  return index < 0 ? "" : `:${index + 1}`;
}
