import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { TarEntry } from "../layer/entry.ts";
import { condaEntries, relocated } from "./conda-tree.ts";
import { builtOnce } from "./store.ts";
import { venvEntries } from "./venv-tree.ts";

async function folderOf(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-tree-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
    if (name.startsWith("bin/")) await chmod(join(folder, name), 0o755);
  }
  return folder;
}

function shown(entries: readonly TarEntry[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const name = entry.path.replace(/^slipway\/environment\//, "");
      if (entry.type === "symlink") return [name, `-> ${entry.target}`];
      if (entry.type !== "file") return [name, entry.type];
      const text = "bytes" in entry.content ? Buffer.from(entry.content.bytes).toString() : "(as it is)";
      return [name, `${entry.mode?.toString(8)} ${text}`];
    }),
  );
}

it("what uv put into a folder becomes a virtual environment of the image's interpreter", async () => {
  // By another version of Python than the image's.
  const installed = "lib/python3.12/site-packages";
  const folder = await folderOf({
    ".lock": "",
    [`${installed}/a/__init__.py`]: "",
    [`${installed}/a/__pycache__/__init__.cpython-312.pyc`]: "x",
    "bin/a": "#!/build/python\nimport a\n",
    "bin/other": "#!/bin/sh\n",
    "share/a.txt": "",
    [`${installed}/a-1.dist-info/RECORD`]:
      "a/__init__.py,sha256=x,0\n../../../share/a.txt,sha256=y,0\n../../../bin/other,sha256=z,10\n../../../bin/a,sha256=old,25\na/__pycache__/__init__.cpython-312.pyc,,\n",
  });
  const entries = await venvEntries(folder, { path: "/usr/bin/python3.11", version: "3.11.2" }, "/build/python");
  const packages = "lib/python3.11/site-packages";
  expect(shown(entries)).toEqual({
    "pyvenv.cfg": "644 home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n",
    "bin/python": "-> /usr/bin/python3.11",
    "bin/python3": "-> python",
    "bin/python3.11": "-> python",
    "bin/a": "755 #!/slipway/environment/bin/python\nimport a\n",
    "bin/other": "755 (as it is)",
    "share/a.txt": "644 (as it is)",
    [`${packages}/a/__init__.py`]: "644 (as it is)",
    [`${packages}/a-1.dist-info/RECORD`]:
      "644 ../../../bin/a,sha256=gqtD1CTCbn0EgGbzfa4tBGrnsBJd1RcmQDqHPYMuYE8,43\n../../../bin/other,sha256=z,10\n../../../share/a.txt,sha256=y,0\na/__init__.py,sha256=x,0\n",
  });
});

it("a conda environment gets the path that it has in the image", async () => {
  const folder = await folderOf({ "conda-meta/history": "", "lib/__pycache__/a.pyc": "", "lib/plain": "x" });
  await writeFile(join(folder, "text"), `a=${folder}/lib:${folder}\n`);
  await symlink(join(folder, "text"), join(folder, "link"));
  expect(shown(await condaEntries(folder))).toEqual({
    lib: "directory",
    "lib/plain": "644 (as it is)",
    link: "-> /slipway/environment/text",
    text: "644 a=/slipway/environment/lib:/slipway/environment\n",
  });
});

it("a string in a binary keeps its length", () => {
  const binary = Buffer.from("\x7fELF\0/long/prefix/lib:/long/prefix/x\0rest\0/long/prefix\0\0é", "latin1");
  expect(relocated(binary, "/long/prefix", "/p")?.toString("latin1")).toBe(
    `\x7fELF\0/p/lib:/p/x${"\0".repeat(20)}\0rest\0/p${"\0".repeat(10)}\0\0é`,
  );
  expect(relocated(Buffer.from("x"), "/long/prefix", "/p")).toBeUndefined();
});

it("a folder that is built once is not seen before it is whole, and not left when it failed", async () => {
  const root = join(await folderOf(), "store");
  const key = "a".repeat(64);
  const build = (work: () => unknown) =>
    builtOnce(
      root,
      key,
      () => true,
      async (folder) => {
        await writeFile(join(folder, "file"), "x");
        await work();
      },
    );
  await expect(build(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  let builds = 0;
  const paths = await Promise.all([1, 2, 3].map(() => build(() => builds++)));
  expect({ builds, paths: new Set(paths).size }).toEqual({ builds: 1, paths: 1 });
});
