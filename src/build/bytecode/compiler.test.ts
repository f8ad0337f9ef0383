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
  async function compiled(names: readonly string[], compile: PythonCompiler): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const name of names) {
      const source = Buffer.from(modules[name as keyof typeof modules], "latin1");
      found[name] = Buffer.from((await compile(source, `/app/${name}.py`)) ?? []).toString("hex");
    }
    return found;
  }

  it("writes the same bytes on every machine, whatever it compiled before", async () => {
    const names = Object.keys(modules);
    const first = await compiled(names, compiler);
    // Any CPython 3.11 that runs the program gives these; `marshal.dumps` gives others, by what the interpreter
    // refers to at that moment.
    expect(createHash("sha256").update(JSON.stringify(first)).digest("hex")).toBe(
      "1de55555e7b6af00499ec5425f774a1a913a9efda35a154fe7f0c235009377d2",
    );
    expect(await compiled(names.toReversed(), await loadPythonCompiler(join(runfiles, pyodide)))).toEqual(first);
    expect(await compiled(names, compiler)).toEqual(first);
  }, 60_000);

  it("writes bytecode of Python 3.11 that is taken without a look at the source", async () => {
    const header = Buffer.from((await compiler(Buffer.from("x = 1\n"), "/app/x.py")) ?? []);
    expect(header.subarray(0, 8).toString("hex")).toBe("a70d0d0a01000000");
  });

  const deep = ["a.", "not ", "-", "lambda: ", "1 if a else "].map((part) => `x = ${part.repeat(20_000)}b\n`);
  it.each(["print 1\n", "# coding: no\n", `x = ${"lambda: ".repeat(400)}1\n`, ...deep])(
    "gives nothing for what is no Python, or nested too deeply (%#)",
    async (source) => {
      const [none, other] = await Promise.all([source, "x = 1\n"].map((each) => compiler(Buffer.from(each), "/x.py")));
      expect(none).toBeUndefined();
      expect(other).toBeDefined();
    },
    60_000,
  );

  it("takes a path for a name alone", async () => {
    const path = '/x"""\nraise SystemExit\n""".py';
    expect(Buffer.from((await compiler(Buffer.from("x = 1\n"), path)) ?? []).includes(path)).toBe(true);
  });
});
