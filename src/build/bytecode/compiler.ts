import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { program } from "./program.ts";

/** Compiles a Python module. Undefined: it is not valid Python of this version. @param path its name in tracebacks */
export type PythonCompiler = (source: Uint8Array, path: string) => Uint8Array | undefined;

/** The parts of Pyodide's interface that are used here. */
interface Pyodide {
  readonly FS: { writeFile(path: string, data: Uint8Array): void; readFile(path: string): Uint8Array };
  readonly globals: { get(name: string): (path: string) => boolean };
  runPython(code: string): void;
}

/**
 * Loads CPython in WebAssembly, so that every build machine uses the same interpreter.
 *
 * @param folder folder of the npm package `pyodide`
 */
export async function loadPythonCompiler(folder: string): Promise<PythonCompiler> {
  const { loadPyodide } = (await import(pathToFileURL(join(folder, "pyodide.mjs")).href)) as {
    loadPyodide(options: { readonly indexURL: string; readonly env: Record<string, string> }): Promise<Pyodide>;
  };
  const python = await loadPyodide({ indexURL: folder, env: { HOME: "/", PYTHONHASHSEED: "0" } });
  python.runPython(program);
  const compile = python.globals.get("compile_module");
  return (source, path) => {
    python.FS.writeFile("/tmp/source", source);
    return compile(path) ? python.FS.readFile("/tmp/bytecode") : undefined;
  };
}
