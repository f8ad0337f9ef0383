import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import type { TarEntry } from "../layer/entry.ts";
import { minorOf } from "./model.ts";

/** The folder of an environment in an image, without the leading slash. */
export const imageEnvironment = "slipway/environment";

export interface BasePython {
  /** In the image, absolute. */
  readonly path: string;
  /** `3.12.1`, or `3.12` where the image tells no more. */
  readonly version: string;
}

/**
 * From `uv pip install --prefix` (PEP 405). Scripts start the image's interpreter, and `RECORD` lists them so.
 *
 * @param builder interpreter that uv's scripts name
 */
export async function venvEntries(folder: string, python: BasePython, builder: string): Promise<TarEntry[]> {
  const packages = posix.join("lib", `python${minorOf(python.version)}`, "site-packages");
  // uv's lock file does not belong to the environment.
  const files = (await filesBelow(folder)).filter((name) => name !== ".lock");
  const entries = new Map<string, TarEntry>();
  const contents = new Map<string, Buffer>();
  for (const name of files) {
    const path = name.replace(installed, `${packages}/`);
    const file = join(folder, name);
    const status = await lstat(file);
    if (status.isSymbolicLink()) {
      entries.set(path, { type: "symlink", path, target: await readlink(file) });
      continue;
    }
    const mode = status.mode & 0o100 ? 0o755 : 0o644;
    const script = name.startsWith("bin/") ? retargeted(await readFile(file), builder) : undefined;
    if (script) contents.set(name, script);
    entries.set(path, { type: "file", path, mode, content: script ? { bytes: script } : { file } });
  }
  for (const name of files.filter((file) => recordFile.test(file))) {
    const path = name.replace(installed, `${packages}/`);
    const bytes = newRecord(await readFile(join(folder, name), "utf8"), contents);
    entries.set(path, { type: "file", path, mode: 0o644, content: { bytes } });
  }
  for (const entry of skeleton(python)) entries.set(entry.path, entry);
  return [...entries.values()].map((entry) => ({ ...entry, path: `${imageEnvironment}/${entry.path}` }));
}

/** uv puts packages here, by the version of the interpreter that it uses. */
const installed = /^lib\/python3\.\d+\/site-packages\//;
const recordFile = /^lib\/python3\.\d+\/site-packages\/[^/]+\.dist-info\/RECORD$/;

function skeleton(python: BasePython): TarEntry[] {
  const lines = [
    `home = ${posix.dirname(python.path)}`,
    "include-system-site-packages = false",
    `version = ${python.version}`,
  ];
  const content = { bytes: Buffer.from(`${lines.join("\n")}\n`) };
  return [
    { type: "file", path: "pyvenv.cfg", mode: 0o644, content },
    { type: "symlink", path: "bin/python", target: python.path },
    { type: "symlink", path: "bin/python3", target: "python" },
    { type: "symlink", path: `bin/python${minorOf(python.version)}`, target: "python" },
  ];
}

async function filesBelow(folder: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const name = posix.join(prefix, entry.name);
    if (!entry.isDirectory()) names.push(name);
    else if (entry.name !== "__pycache__") names.push(...(await filesBelow(folder, name)));
  }
  return names.sort();
}

/** A script of the builder's interpreter, for the environment's. Undefined for other scripts. */
function retargeted(bytes: Buffer, builder: string): Buffer | undefined {
  if (bytes.subarray(0, 2).toString() !== "#!") return undefined;
  const text = bytes.toString("latin1");
  // The second form is for paths that the kernel does not take: long ones, and ones with spaces.
  const head = [
    `#!${builder}\n`,
    `#!/bin/sh\n'''exec' "${builder}" "$0" "$@"\n' '''\n`,
    `#!/bin/sh\n'''exec' ${builder} "$0" "$@"\n' '''\n`,
  ].find((each) => text.startsWith(each));
  if (head === undefined) return undefined;
  return Buffer.from(`#!/${imageEnvironment}/bin/python\n${text.slice(head.length)}`, "latin1");
}

function newRecord(text: string, contents: ReadonlyMap<string, Buffer>): Buffer {
  const rows = text
    .split(/\r?\n/)
    .filter((row) => row !== "" && !/__pycache__\/[^,]*\.pyc/.test(row))
    .map((row) => {
      const [, path] = /^"?\.\.\/\.\.\/\.\.\/([^,"]+)/.exec(row) ?? [];
      const content = path === undefined ? undefined : contents.get(path);
      if (path === undefined || content === undefined) return row;
      const hash = createHash("sha256").update(content).digest("base64url");
      return `../../../${path},sha256=${hash},${content.length}`;
    });
  return Buffer.from(`${rows.sort().join("\n")}\n`);
}
