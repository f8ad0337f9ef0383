import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import type { TarEntry } from "../layer/entry.ts";
import { imageEnvironment } from "./venv-tree.ts";

/** Maximum bytes of a file to search for the prefix. No conda package has it in a larger one. */
const largestSearched = 512 * 1024 * 1024;

/**
 * Conda writes its path into files, so it is replaced, in binaries up to the end of the string. Without bytecode and
 * `conda-meta`, which names the machine.
 */
export async function condaEntries(prefix: string): Promise<TarEntry[]> {
  return entriesOf(prefix, "", prefix);
}

async function entriesOf(prefix: string, folder: string, root: string): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    const name = posix.join(folder, entry.name);
    const path = `${imageEnvironment}/${name}`;
    const file = join(root, name);
    if (entry.isDirectory()) {
      if (entry.name === "__pycache__" || name === "conda-meta") continue;
      entries.push({ type: "directory", path }, ...(await entriesOf(prefix, name, root)));
    } else if (entry.isSymbolicLink()) {
      const target = (await readlink(file)).replace(prefix, `/${imageEnvironment}`);
      entries.push({ type: "symlink", path, target });
    } else {
      const status = await lstat(file);
      const mode = status.mode & 0o100 ? 0o755 : 0o644;
      const moved =
        status.size > largestSearched ? undefined : relocated(await readFile(file), prefix, `/${imageEnvironment}`);
      entries.push({ type: "file", path, mode, content: moved ? { bytes: moved } : { file } });
    }
  }
  return entries;
}

/** `to` is not longer than `from`: in binaries, zeros keep the string's length. Undefined if `from` is not there. */
export function relocated(bytes: Buffer, from: string, to: string): Buffer | undefined {
  const first = bytes.indexOf(from);
  if (first < 0) return undefined;
  if (!bytes.includes(0)) return Buffer.from(bytes.toString("latin1").replaceAll(latin1(from), latin1(to)), "latin1");
  const moved = Buffer.from(bytes);
  for (let at = first; at >= 0; at = moved.indexOf(from, at + to.length)) {
    const zero = moved.indexOf(0, at);
    const end = zero < 0 ? moved.length : zero;
    const text = moved.toString("latin1", at, end).replaceAll(latin1(from), latin1(to));
    moved.fill(0, at, end);
    moved.write(text, at, "latin1");
  }
  return moved;
}

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}
