import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { program } from "./program.ts";

/** Undefined: it is not valid Python of this version. @param path its name in tracebacks */
export type PythonCompiler = (source: Uint8Array, path: string) => Promise<Uint8Array | undefined>;

interface Pyodide {
  readonly FS: { writeFile(path: string, data: Uint8Array): void; readFile(path: string): Uint8Array };
  readonly globals: { get(name: string): (path: string) => boolean };
  runPython(code: string): void;
}

/** CPython in WebAssembly, so that every build machine uses the same interpreter. */
export async function loadPythonCompiler(folder: string): Promise<PythonCompiler> {
  const { loadPyodide } = (await import(pathToFileURL(join(folder, "pyodide.mjs")).href)) as {
    loadPyodide(options: { readonly indexURL: string; readonly env: Record<string, string> }): Promise<Pyodide>;
  };
  const load = async () => {
    const python = await loadPyodide({ indexURL: folder, env: { HOME: "/", PYTHONHASHSEED: "0" } });
    python.runPython(program);
    return { python, compile: python.globals.get("compile_module") };
  };
  let loading = load();
  return async (source, path) => {
    for (;;) {
      const loaded = loading;
      const interpreter = await loaded;
      if (loaded !== loading) continue;
      try {
        const { FS } = interpreter.python;
        FS.writeFile("/tmp/source", source);
        return interpreter.compile(path) ? FS.readFile("/tmp/bytecode") : undefined;
      } catch (error) {
        // Nested so deeply that the interpreter has ended.
        if (!(error instanceof RangeError || error instanceof WebAssembly.RuntimeError)) throw error;
        loading = load();
        return undefined;
      }
    }
  };
}
