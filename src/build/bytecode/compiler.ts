import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { program } from "./program.ts";

/** Undefined: it is not valid Python of this version. @param path its name in tracebacks */
export type PythonCompiler = (source: Uint8Array, path: string) => Promise<Uint8Array | undefined>;

interface Pyodide {
  readonly FS: { writeFile(path: string, data: Uint8Array): void; readFile(path: string): Uint8Array };
  readonly globals: { get(name: string): unknown };
  runPython(code: string): void;
}

/** Undefined: the code was nested so deeply that the interpreter has ended. The next call gets a new one. */
export type PythonInterpreter = <Result>(use: (python: Pyodide) => Result) => Promise<Result | undefined>;

/** CPython in WebAssembly, so that every build machine uses the same interpreter. @param code which it runs first */
export async function loadPython(folder: string, code: string): Promise<PythonInterpreter> {
  const { loadPyodide } = (await import(pathToFileURL(join(folder, "pyodide.mjs")).href)) as {
    loadPyodide(options: { readonly indexURL: string; readonly env: Record<string, string> }): Promise<Pyodide>;
  };
  const load = async () => {
    const python = await loadPyodide({ indexURL: folder, env: { HOME: "/", PYTHONHASHSEED: "0" } });
    python.runPython(code);
    return python;
  };
  let loading = load();
  return async (use) => {
    for (;;) {
      const loaded = loading;
      const python = await loaded;
      if (loaded !== loading) continue;
      try {
        return use(python);
      } catch (error) {
        if (!(error instanceof RangeError || error instanceof WebAssembly.RuntimeError)) throw error;
        loading = load();
        return undefined;
      }
    }
  };
}

export async function loadPythonCompiler(folder: string): Promise<PythonCompiler> {
  const interpreter = await loadPython(folder, program);
  return (source, path) =>
    interpreter(({ FS, globals }) => {
      FS.writeFile("/tmp/source", source);
      const compile = globals.get("compile_module") as (path: string) => boolean;
      return compile(path) ? FS.readFile("/tmp/bytecode") : undefined;
    });
}
