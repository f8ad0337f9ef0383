import { Failure } from "../oci/errors.ts";

/** One entry of an uncompressed tar file; its content is `size` bytes at `offset` of that file. */
export interface TarEntry {
  /** As written, without a leading `./` or `/` and without a trailing `/`; empty for the root. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "device";
  /** Permission bits with setuid, setgid and sticky: `0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly offset: number;
  readonly size: number;
  /** Target of a symlink as written, of a hard link like `path`; empty for others. */
  readonly target: string;
}

/** What {@link indexTar} needs of an open file; `FileHandle` is one. */
export interface RandomAccess {
  stat(): Promise<{ size: number }>;
  read(buffer: Buffer, at: number, size: number, position: number): Promise<{ buffer: Buffer; bytesRead: number }>;
}

const BLOCK = 512;
const TYPES: Readonly<Record<string, TarEntry["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "device",
};

/**
 * Lists the entries of an uncompressed tar file: POSIX ustar, GNU long names and PAX paths, the dialects that dpkg reads. Nothing but
 * headers is read, so that merging many archives takes memory by the number of their files and not by their contents.
 *
 * @param name how errors call it
 * @throws Failure when a header's checksum is wrong or the archive is cut short
 */
export async function indexTar(file: RandomAccess, name: string): Promise<TarEntry[]> {
  const total = (await file.stat()).size;
  const entries: TarEntry[] = [];
  const read = async (position: number, size: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, position);
    if (bytesRead < size) throw new Failure(`${name} is cut short at byte ${position}.`, "Fetch the package again.");
    return buffer;
  };
  let long: { path?: string; target?: string } = {};
  for (let position = 0; position + BLOCK <= total; ) {
    const header = await read(position, BLOCK);
    if (header.every((byte) => byte === 0)) break;
    if (checksum(header) !== octal(header, 148, 8)) {
      throw new Failure(`${name} has a damaged header at byte ${position}.`, "Fetch the package again.");
    }
    const size = octal(header, 124, 12);
    const offset = position + BLOCK;
    position = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (offset + size > total) throw new Failure(`${name} is cut short at byte ${total}.`, "Fetch the package again.");
    const flag = String.fromCharCode(header[156] ?? 0);
    if (flag === "L") long.path = string(await read(offset, size), 0, size);
    else if (flag === "K") long.target = string(await read(offset, size), 0, size);
    else if (flag === "x") long = { ...long, ...paxPaths(await read(offset, size)) };
    else {
      const type = TYPES[flag];
      if (type !== undefined) {
        const target = long.target ?? string(header, 157, 100);
        entries.push({
          path: normalised(long.path ?? ustarPath(header)),
          type,
          mode: octal(header, 100, 8) & 0o7777,
          uid: octal(header, 108, 8),
          gid: octal(header, 116, 8),
          offset,
          size: type === "file" ? size : 0,
          target: type === "symlink" ? target : type === "hardlink" ? normalised(target) : "",
        });
      }
      long = {};
    }
  }
  return entries;
}

function ustarPath(header: Buffer): string {
  const prefix = header.toString("latin1", 257, 263) === "ustar\0" ? string(header, 345, 155) : "";
  const path = string(header, 0, 100);
  return prefix === "" ? path : `${prefix}/${path}`;
}

function normalised(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function string(buffer: Buffer, start: number, length: number): string {
  const end = buffer.indexOf(0, start);
  return buffer.toString("utf8", start, end < 0 ? start + length : Math.min(end, start + length));
}

/** A number in octal digits, or in GNU's base 256 where the first bit is set. */
function octal(buffer: Buffer, start: number, length: number): number {
  if (((buffer[start] ?? 0) & 0x80) !== 0) return Number(buffer.readBigUInt64BE(start + length - 8));
  return Number.parseInt(string(buffer, start, length).trim() || "0", 8);
}

function checksum(header: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  return sum;
}

function paxPaths(records: Buffer): { path?: string; target?: string } {
  const result: { path?: string; target?: string } = {};
  for (let position = 0; position < records.length; ) {
    const space = records.indexOf(0x20, position);
    const length = Number.parseInt(records.toString("latin1", position, space), 10);
    if (space < 0 || !(length > 0)) break;
    const record = records.toString("utf8", space + 1, position + length - 1);
    if (record.startsWith("path=")) result.path = record.slice("path=".length);
    if (record.startsWith("linkpath=")) result.target = record.slice("linkpath=".length);
    position += length;
  }
  return result;
}
