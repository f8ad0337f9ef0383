import { readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../core/testdata/folder.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { indexTar } from "../../debian/tar-index.ts";
import { testDeb } from "../../debian/testdata/packages.ts";
import { layer } from "../commands/layer.ts";
import { bytecode } from "./bytecode.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const context = () => ({ folder, signal: new AbortController().signal });
const options = (name: string) => [
  `--output=${name}.tar`,
  `--metadata=${name}.json`,
  `--packages=${name}.packages.json`,
  "--compression=none",
];
const json = (entries: readonly (readonly string[])[]) => entries.map((entry) => JSON.stringify(entry));

/** Says what it was given; what starts with "?" is no Python. */
const compiler = async (source: Uint8Array, path: string) => {
  const text = Buffer.from(source).toString();
  return text.startsWith("?") ? undefined : Buffer.from(`${path}: ${text}`);
};

async function contents(name: string): Promise<Record<string, string>> {
  await using file = await open(join(folder, name));
  const entries = (await indexTar(file, name)).filter(({ type }) => type === "file");
  const bytes = readFileSync(join(folder, name));
  return Object.fromEntries(
    entries.map(({ path, offset, size }) => [path, bytes.toString("utf8", offset, offset + size)]),
  );
}

describe("bytecode", () => {
  it("is beside the modules of a package, under the path that they have in the image", async () => {
    writeFileSync(join(folder, "a.py"), "a");
    writeFileSync(join(folder, "bad.py"), "?");
    writeFileSync(join(folder, "empty.py"), "");
    const entries = ["a", "bad", "empty"].map((name) => ["file", `app/p/${name}.py`, `${name}.py`]);
    await bytecode([...options("out"), ...json(entries)], context(), compiler);
    expect(await contents("out.tar")).toEqual({
      "app/p/__pycache__/a.cpython-311.pyc": "/app/p/a.py: a",
      "app/p/__pycache__/empty.cpython-311.pyc": "/app/p/empty.py: ",
    });
  });

  it("is that of the modules in a Debian package which Python of this version imports", async () => {
    const files = {
      "usr/lib/python3.11/json/a.py": "a",
      "usr/lib/python3/dist-packages/b.py": "b",
      "usr/lib/python3.12/c.py": "c",
      "usr/share/d.py": "d",
    };
    const deb = testDeb(
      "libpython3.11-stdlib",
      Object.entries(files).map(([path, content]) => ({ path, content })),
    );
    writeFileSync(join(folder, "python.deb"), deb);
    await bytecode([...options("out"), ...json([["deb", "python.deb"]])], context(), compiler);
    expect(await contents("out.tar")).toEqual({
      "usr/lib/python3.11/json/__pycache__/a.cpython-311.pyc": "/usr/lib/python3.11/json/a.py: a",
      "usr/lib/python3/dist-packages/__pycache__/b.cpython-311.pyc": "/usr/lib/python3/dist-packages/b.py: b",
    });
  });

  it("goes into the layer that has the module", async () => {
    for (const name of ["a", "b"]) writeFileSync(join(folder, `${name}.py`), name);
    const file = (name: string) => ["file", `app/${name}.py`, `${name}.py`];
    await bytecode([...options("archive"), ...json([file("a"), file("b")])], context(), compiler);
    await layer([...options("layer"), ...json([file("a"), ["bytecode", "archive.tar"]])], context());
    expect(await contents("layer.tar")).toEqual({
      "app/a.py": "a",
      "app/__pycache__/a.cpython-311.pyc": "/app/a.py: a",
    });
  });

  it.each([[["tree", "a"]], [["file", "a"]], [["deb"]]])("refuses %j", async (entry) => {
    await expect(bytecode([...options("out"), ...json([entry])], context(), compiler)).rejects.toThrow(
      userErrorWith("command-line-invalid", JSON.stringify(entry)),
    );
  });
});
