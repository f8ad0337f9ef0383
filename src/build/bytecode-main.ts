import { argumentError } from "./arguments.ts";
import { bytecode } from "./bytecode/bytecode.ts";
import { loadPythonCompiler, type PythonCompiler } from "./bytecode/compiler.ts";
import { pythonImports } from "./bytecode/python-imports.ts";
import { runTool } from "./tool.ts";

/** `tool PYODIDE_FOLDER bytecode|python-imports …`: one command or a worker, like the build tool. */
const [folder = "", ...args] = process.argv.slice(2);
let compiler: Promise<PythonCompiler> | undefined;

await runTool(args, async ([command = "", ...rest], context) => {
  if (command === "python-imports") return pythonImports(rest, context, folder);
  if (command !== "bytecode") {
    throw argumentError(
      command,
      `${JSON.stringify(command)} is not a command of this tool.`,
      "Write bytecode or python-imports.",
    );
  }
  compiler ??= loadPythonCompiler(folder);
  await bytecode(rest, context, await compiler);
});
