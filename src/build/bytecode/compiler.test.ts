import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadPythonCompiler, type PythonCompiler } from "./compiler.ts";

const runfiles = process.env["TEST_SRCDIR"] ?? "";
const [pyodide = ""] = globSync("*slipway_pyodide/node_modules/pyodide", { cwd: runfiles });

const modules = {
  names: "def total(values, /, *, start=0):\n    return sum(values, start)\n",
  texts: 'import sys\nsys.intern("a b")\nx = ("a b", "total", "values", ".", "", 257, 1.5, 2j, b"x", None, ...)\n',
  sets: 'def f(x):\n    return x in {"a b", "values", None, 1, (2, "total")}\n',
  cells: "def f(a):\n    b = a\n    def g():\n        return a, b\n    class A:\n        x = b\n    return g, A\n",
  empty: "",
  other: '# coding: latin-1\nname = "\xe9"\n',
};

describe("the compiler of Python", () => {
  let compiler: PythonCompiler;
  beforeAll(async () => {
    compiler = await loadPythonCompiler(join(runfiles, pyodide));
  }, 60_000);
  const compiled = (names: readonly string[], compile: PythonCompiler) =>
    Object.fromEntries(
      names.map((name) => {
        const source = Buffer.from(modules[name as keyof typeof modules], "latin1");
        return [name, Buffer.from(compile(source, `/app/${name}.py`) ?? []).toString("hex")];
      }),
    );

  it("writes the same bytes on every machine, whatever it compiled before", async () => {
    const names = Object.keys(modules);
    const first = compiled(names, compiler);
    // Any CPython 3.11 that runs the program gives these; `marshal.dumps` gives others, by what the interpreter refers to at that moment.
    expect(createHash("sha256").update(JSON.stringify(first)).digest("hex")).toBe(
      "1de55555e7b6af00499ec5425f774a1a913a9efda35a154fe7f0c235009377d2",
    );
    expect(compiled(names.toReversed(), await loadPythonCompiler(join(runfiles, pyodide)))).toEqual(first);
    expect(compiled(names, compiler)).toEqual(first);
  }, 60_000);

  it("writes bytecode of Python 3.11 that is taken without a look at the source", () => {
    const header = Buffer.from(compiler(Buffer.from("x = 1\n"), "/app/x.py") ?? []);
    expect(header.subarray(0, 8).toString("hex")).toBe("a70d0d0a01000000");
  });

  it("gives nothing for what is no Python", () => {
    expect(compiler(Buffer.from("print 1\n"), "/app/x.py")).toBeUndefined();
    expect(compiler(Buffer.from(`x = ${"a.".repeat(9000)}b\n`), "/app/x.py")).toBeUndefined();
    expect(compiler(Buffer.from("x = 1\n"), "/app/x.py")).toBeDefined();
  });
});
