import type { Dirent } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../core/errors.ts";
import { ByteReader } from "../layer/byte-reader.ts";
import type { TarEntry } from "../layer/entry.ts";
import { blockSize, header as headerOf, paddingOf, trailerSize } from "../layer/header.ts";
import { type Extension, readExtension, readHeader, type TarHeader } from "../layer/read-header.ts";

/** Bytes of content that are in memory at once. */
const pieceSize = 1 << 20;
/** Bytes of a PAX header. */
const maximumExtension = 1 << 20;

/**
 * Gives the bytes of a folder as a tar, which depend only on names, content, links, and whether files are executable.
 * Keep python/slipway/_folder_tar.py the same.
 *
 * @throws UserError for what is neither a file, a folder nor a symbolic link, and for a link that can lead out
 */
export async function* tarOf(folder: string): AsyncGenerator<Buffer> {
  yield* below(folder, "");
  yield Buffer.alloc(trailerSize);
}

async function* below(folder: string, prefix: string): AsyncGenerator<Buffer> {
  const members = await readdir(join(folder, prefix), { withFileTypes: true });
  for (const member of members.sort((one, other) => compareNames(one.name, other.name))) {
    const path = prefix === "" ? member.name : `${prefix}/${member.name}`;
    yield* entry(folder, path, member);
    if (member.isDirectory()) yield* below(folder, path);
  }
}

function compareNames(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

async function* entry(folder: string, path: string, member: Dirent): AsyncGenerator<Buffer> {
  const source = join(folder, path);
  if (member.isDirectory()) yield headerOf({ type: "directory", path }, 0);
  else if (member.isSymbolicLink()) {
    const target = await readlink(source);
    if (!staysInside(path, target)) {
      throw new UserError(
        { code: "file-unreadable", culprit: source },
        `${source} is a symbolic link that can lead out of the folder: to ${target}.`,
        "Replace it with what it leads to, or leave it out.",
      );
    }
    yield headerOf({ type: "symlink", path, target }, 0);
  } else if (member.isFile()) {
    const file = await open(source);
    try {
      const { size, mode } = await file.stat();
      const kind: TarEntry = { type: "file", path, mode: mode & 0o100 ? 0o755 : 0o644, content: { file: source } };
      yield headerOf(kind, size);
      yield* readWhole(file, size, source);
      yield Buffer.alloc(paddingOf(size));
    } finally {
      await file.close();
    }
  } else {
    throw new UserError(
      { code: "file-unreadable", culprit: source },
      `${source} is neither a file, a folder nor a symbolic link.`,
      "Leave it out of the folder.",
    );
  }
}

/** The content of a file, in pieces. @throws UserError if it has not that size */
export async function* readWhole(file: FileHandle, size: number, name: string): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; ) {
    const piece = Buffer.allocUnsafe(Math.min(left, pieceSize));
    const { bytesRead } = await file.read(piece);
    if (bytesRead === 0) {
      throw new UserError(
        { code: "file-unreadable", culprit: name },
        `${name} became shorter while it was read.`,
        "Hand it on after everything has been written.",
      );
    }
    left -= bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

/**
 * Makes a new folder of a tar. Takes only what {@link tarOf} can have written, byte for byte: every entry is below
 * folders that this call made, and no link can lead out. So nothing outside of the folder is written or shown, whoever
 * made the tar.
 *
 * @throws RangeError if it is not such a tar; the error of the system if the folder cannot hold it
 */
export async function unpackTar(tar: AsyncIterable<Uint8Array>, folder: string): Promise<void> {
  const reader = new ByteReader(tar);
  try {
    await mkdir(folder);
    let last: Last = { names: [], isFolder: true };
    for (;;) {
      const start = reader.position;
      const found = await nextEntry(reader);
      if (found === undefined) return;
      const problem = problemOf(found, last);
      if (problem !== undefined) throw new RangeError(`${problem} at byte ${start}`);
      const { entry, size } = found;
      const path = join(folder, entry.path);
      // Each of these fails if something is there, also by a name that differs only in case.
      if (entry.type === "directory") await mkdir(path);
      else if (entry.type === "symlink") await symlink(entry.target, path);
      else await unpackFile(reader, size, path, entry.mode);
      last = { names: entry.path.split("/"), isFolder: entry.type === "directory" };
    }
  } finally {
    await reader.close();
  }
}

type FolderEntry = Exclude<TarEntry, { readonly type: "hardlink" }>;
interface Found {
  readonly entry: FolderEntry;
  readonly size: number;
}
/** The path of the previous entry. */
interface Last {
  readonly names: readonly string[];
  readonly isFolder: boolean;
}

/** The next entry. Undefined: the tar ends here. */
async function nextEntry(reader: ByteReader): Promise<Found | undefined> {
  const start = reader.position;
  const blocks = [await reader.upTo(blockSize)];
  if (isZero(blocks[0] as Buffer)) {
    const rest = await reader.upTo(blockSize + 1);
    if (rest.length === blockSize && isZero(rest)) return undefined;
    throw new RangeError(`the end is not that of a folder at byte ${start}`);
  }
  let header = headerIn(blocks[0] as Buffer, start);
  let extension: Extension = {};
  if (header.flag === "x") {
    if (!(header.size <= maximumExtension)) throw new RangeError(`a header is too long at byte ${start}`);
    const records = await reader.upTo(header.size + paddingOf(header.size));
    blocks.push(records, await reader.upTo(blockSize));
    extension = readExtension("x", records.subarray(0, header.size), {});
    header = headerIn(blocks[2] as Buffer, start);
  }
  const found = foundIn({ ...header, ...extension });
  if (found === undefined || !headerOf(found.entry, found.size).equals(Buffer.concat(blocks)))
    throw new RangeError(`an entry is not that of a folder at byte ${start}`);
  return found;
}

function headerIn(block: Buffer, start: number): TarHeader {
  const header = block.length === blockSize ? readHeader(block) : undefined;
  if (header === undefined) throw new RangeError(`an entry is not that of a folder at byte ${start}`);
  return header;
}

function foundIn({ flag, path, target, size, mode }: TarHeader): Found | undefined {
  if (!Number.isSafeInteger(size) || size < 0 || (flag !== "0" && size > 0)) return undefined;
  if (flag === "5") return { entry: { type: "directory", path: path.replace(/\/$/, "") }, size };
  if (flag === "2") return { entry: { type: "symlink", path, target }, size };
  if (flag !== "0") return undefined;
  return { entry: { type: "file", path, mode: mode & 0o100 ? 0o755 : 0o644, content: { file: "" } }, size };
}

/** The order of {@link tarOf}: each entry directly in a folder that is still open, after all smaller names. */
function problemOf({ entry }: Found, last: Last): string | undefined {
  const names = entry.path.split("/");
  const depth = names.length - 1;
  if (names.some((name) => ["", ".", ".."].includes(name) || name.includes("\0")))
    return "a path is not one of a folder";
  const isOpen = depth <= last.names.length - (last.isFolder ? 0 : 1);
  if (!isOpen || names.slice(0, depth).some((name, index) => name !== last.names[index]))
    return "a path is not in a folder before it";
  const before = last.names[depth];
  if (before !== undefined && compareNames(before, names[depth] as string) >= 0) return "a path is out of order";
  if (entry.type === "symlink" && !staysInside(entry.path, entry.target))
    return "a symbolic link leads out of the folder";
  return undefined;
}

/**
 * Tells if a link leads to a path in the folder, or to nothing, however other links change: it climbs no higher than
 * the folder, and only at its beginning, where every step is a folder and no link.
 */
function staysInside(path: string, target: string): boolean {
  const steps = target.split("/");
  const climbed = steps.findIndex((step) => step !== "..");
  const climbs = climbed < 0 ? steps.length : climbed;
  if (target === "" || target.startsWith("/") || target.includes("\0") || climbs >= path.split("/").length)
    return false;
  return !steps.slice(climbs).includes("..");
}

function isZero(block: Buffer): boolean {
  return block.length === blockSize && block.every((byte) => byte === 0);
}

async function unpackFile(reader: ByteReader, size: number, path: string, mode = 0o644): Promise<void> {
  const target = await open(path, "wx", mode);
  let left = size;
  try {
    for await (const piece of reader.pass(size)) {
      await target.writeFile(piece);
      left -= piece.length;
    }
  } finally {
    await target.close();
  }
  const padding = await reader.upTo(paddingOf(size));
  if (left > 0 || padding.length < paddingOf(size)) throw new RangeError(`it is cut short at byte ${reader.position}`);
  if (padding.some((byte) => byte !== 0)) throw new RangeError(`a file is not padded at byte ${reader.position}`);
}
