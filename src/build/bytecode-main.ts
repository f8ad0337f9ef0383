import { UserError } from "../core/errors.ts";
import { bytecode } from "./bytecode/bytecode.ts";
import { loadPythonCompiler, type PythonCompiler } from "./bytecode/compiler.ts";
import { runTool } from "./tool.ts";

/** The tool of the actions that compile Python: `tool PYODIDE_FOLDER bytecode …`, one command or a worker as the build tool is. */
const [folder = "", ...args] = process.argv.slice(2);
let compiler: Promise<PythonCompiler> | undefined;

await runTool(args, async ([command = "", ...rest], context) => {
  if (command !== "bytecode") {
    throw new UserError(`${JSON.stringify(command)} is not a command of this tool.`, "Its one command is bytecode.");
  }
  compiler ??= loadPythonCompiler(folder);
  await bytecode(rest, context, await compiler);
});
