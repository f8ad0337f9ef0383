import type { Dirent } from "node:fs";
import { chmod, type FileHandle, mkdir, open, readdir, readlink, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../core/errors.ts";
import type { TarEntry } from "../layer/entry.ts";
import { blockSize, header, paddingOf, trailerSize } from "../layer/header.ts";
import { type Extension, normalisedPath, readExtension, readHeader } from "../layer/read-header.ts";

/** Bytes of content that are in memory at once. */
export const pieceSize = 1 << 20;
/** Bytes of a PAX header. */
const maximumExtension = 1 << 20;

/**
 * Gives the bytes of a folder as a tar, which depend only on names, content, links, and whether files are executable. A piece is valid until the
 * next one is asked for. Keep python/slipway/_folder_tar.py the same.
 *
 * @throws UserError for what is neither a file, a folder nor a symbolic link
 */
export async function* tarOf(folder: string): AsyncGenerator<Buffer> {
  yield* below(folder, "");
  yield Buffer.alloc(trailerSize);
}

async function* below(folder: string, prefix: string): AsyncGenerator<Buffer> {
  const members = await readdir(join(folder, prefix), { withFileTypes: true });
  for (const member of members.sort((one, other) => Buffer.compare(Buffer.from(one.name), Buffer.from(other.name)))) {
    const path = prefix === "" ? member.name : `${prefix}/${member.name}`;
    yield* entry(folder, path, member);
    if (member.isDirectory()) yield* below(folder, path);
  }
}

async function* entry(folder: string, path: string, member: Dirent): AsyncGenerator<Buffer> {
  const source = join(folder, path);
  if (member.isDirectory()) yield header({ type: "directory", path }, 0);
  else if (member.isSymbolicLink()) yield header({ type: "symlink", path, target: await readlink(source) }, 0);
  else if (member.isFile()) {
    const file = await open(source);
    try {
      const { size, mode } = await file.stat();
      const kind: TarEntry = { type: "file", path, mode: mode & 0o100 ? 0o755 : 0o644, content: { file: source } };
      yield header(kind, size);
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
  const piece = Buffer.allocUnsafe(Math.min(size, pieceSize));
  for (let left = size; left > 0; ) {
    const { bytesRead } = await file.read(piece, 0, Math.min(left, piece.length));
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
 * Makes a folder of a tar that {@link tarOf} gave. Nothing is written outside of the folder: links are made when all files are there.
 *
 * @param folder a new or empty one
 * @throws RangeError if it is not such a tar
 */
export async function unpackTar(tar: string, folder: string): Promise<void> {
  const file = await open(tar);
  const links: [path: string, target: string][] = [];
  try {
    const { size: end } = await stat(tar);
    let extension: Extension = {};
    await mkdir(folder, { recursive: true });
    for (let position = 0; position < end; ) {
      const block = await read(file, position, blockSize);
      position += blockSize;
      if (block.every((byte) => byte === 0)) break;
      const found = readHeader(block);
      if (found === undefined) throw new RangeError(`there is no tar header at byte ${position - blockSize}`);
      const isExtension = found.flag === "x";
      const size = isExtension ? found.size : (extension.size ?? found.size);
      if (isExtension) {
        if (size > maximumExtension) throw new RangeError(`a header has ${size} bytes`);
        extension = readExtension(found.flag, await read(file, position, size), extension);
      } else {
        const path = join(folder, safePath(extension.path ?? found.path));
        if (found.flag === "5") await mkdir(path, { recursive: true });
        else if (found.flag === "2") links.push([path, extension.target ?? found.target]);
        else if (found.flag === "0") await unpackFile(file, position, size, path, found.mode);
        else throw new RangeError(`there is an entry of type ${JSON.stringify(found.flag)}`);
        extension = {};
      }
      position += size + paddingOf(size);
    }
  } finally {
    await file.close();
  }
  for (const [path, target] of links) await symlink(target, path);
}

function safePath(path: string): string {
  const parts = normalisedPath(path);
  if (parts === "" || parts.split("/").includes("..") || parts.includes("\0"))
    throw new RangeError(`a path is ${path}`);
  return parts;
}

async function read(file: FileHandle, position: number, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  const { bytesRead } = await file.read(bytes, 0, size, position);
  if (bytesRead < size) throw new RangeError(`it is cut short at byte ${position + bytesRead}`);
  return bytes;
}

async function unpackFile(file: FileHandle, start: number, size: number, path: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const target = await open(path, "wx");
  try {
    for (let done = 0; done < size; ) {
      const piece = await read(file, start + done, Math.min(pieceSize, size - done));
      await target.writeFile(piece);
      done += piece.length;
    }
  } finally {
    await target.close();
  }
  if (mode & 0o100) await chmod(path, 0o755);
}
