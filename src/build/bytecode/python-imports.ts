import { UserError } from "../../core/errors.ts";
import { Arguments, malformed, texts } from "../arguments.ts";
import type { Context } from "../context.ts";
import { loadPython, type PythonInterpreter } from "./compiler.ts";

type Missing = readonly [path: string, line: number, column: number, module: string, isLocal: boolean];

let loaded: { readonly code: string; readonly interpreter: Promise<PythonInterpreter> } | undefined;

/**
 * `python-imports --check=PY --target=LABEL --output=MARKER [--start=PATH]…`, then `["source", PATH, FILE]` for each module
 * to check, `["module", PATH]` and `["package", NAME]` for those that it can import, and `["folder", PATH]` for one with
 * modules that have no names yet: fails for an import of another module, which would only show when the program runs.
 */
export async function pythonImports(args: readonly string[], context: Context, pyodide: string): Promise<void> {
  const options = new Arguments(args, ["check", "target", "output", "start"], context);
  const sources = new Map<string, string>();
  const known = { module: [] as string[], package: [] as string[], folder: [] as string[] };
  for (const entry of options.entries) {
    if (entry.kind === "source") sources.set(...texts(entry, ["PATH", "FILE"]));
    else if (entry.kind in known) known[entry.kind as keyof typeof known].push(...texts(entry, ["PATH"]));
    else throw malformed(entry.text, "a source, module, package or folder");
  }
  const code = options.read(options.one("check")).toString("utf8");
  if (loaded?.code !== code) loaded = { code, interpreter: loadPython(pyodide, code) };
  const interpreter = await loaded.interpreter;
  const answer = await interpreter(({ FS, globals }) => {
    const files = [...sources].map(([path, file], index) => {
      const copy = `/tmp/${index}`;
      FS.writeFile(copy, options.read(file));
      return [path, copy] as const;
    });
    return (globals.get("answer") as (request: string) => string)(
      JSON.stringify({
        sources: Object.fromEntries(files),
        start: options.all("start"),
        modules: known.module,
        packages: known.folder.length > 0 ? null : known.package,
      }),
    );
  });
  const missing: readonly Missing[] = answer === undefined ? [] : JSON.parse(answer);
  const [first] = missing;
  if (first) {
    const where = missing
      .map(([path, line, column, module]) => `${path}:${line}:${column} imports ${module}`)
      .join(", ");
    throw new UserError(
      { code: "target-invalid", culprit: first.slice(0, 3).join(":") },
      `${where}, which ${options.one("target")} does not have in its srcs and deps.`,
      first[4]
        ? "Add its file to srcs, or the target that has it to deps."
        : "A package: add it to requirements.in, run `slipway python lock requirements.in`, and have the packages in deps. Your own module: " +
            "add its file to srcs, or its target to deps. In the image's base: name it in unchecked_imports.",
    );
  }
  options.write({ output: "" });
}
