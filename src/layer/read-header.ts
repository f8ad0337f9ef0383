import { blockSize } from "./header.ts";

/** POSIX ustar with GNU's extensions. */
export interface TarHeader {
  /** The type flag: `0` and NUL for files, `5` for directories, `x` for a PAX header, `L` for a GNU long name, … */
  readonly flag: string;
  readonly path: string;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly target: string;
}

export const entryTypes: Readonly<Record<string, "file" | "directory" | "symlink" | "hardlink" | "device">> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "device",
};

/** From PAX or GNU extensions, for the next entry. */
export type Extension = Partial<Pick<TarHeader, "path" | "target" | "size" | "uid" | "gid">>;

/** Undefined: the checksum is wrong. */
export function readHeader(block: Buffer): TarHeader | undefined {
  if (checksum(block) !== octal(block, 148, 8)) return undefined;
  return {
    flag: String.fromCharCode(block[156] ?? 0),
    path: ustarPath(block),
    size: octal(block, 124, 12),
    mode: octal(block, 100, 8),
    uid: octal(block, 108, 8),
    gid: octal(block, 116, 8),
    target: string(block, 157, 100),
  };
}

export function readExtension(flag: string, content: Buffer, known: Extension): Extension {
  if (flag === "L") return { ...known, path: string(content, 0, content.length) };
  if (flag === "K") return { ...known, target: string(content, 0, content.length) };
  return { ...known, ...paxRecords(content) };
}

/** A path without a leading `./` or `/` and without a trailing `/`; empty for the root. */
export function normalisedPath(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function ustarPath(block: Buffer): string {
  const prefix = block.toString("latin1", 257, 263) === "ustar\0" ? string(block, 345, 155) : "";
  const path = string(block, 0, 100);
  return prefix === "" ? path : `${prefix}/${path}`;
}

function string(buffer: Buffer, start: number, length: number): string {
  const end = buffer.indexOf(0, start);
  return buffer.toString("utf8", start, end < 0 ? start + length : Math.min(end, start + length));
}

/** A number in octal digits, or in GNU's base 256 if the first bit is set. */
function octal(buffer: Buffer, start: number, length: number): number {
  if (((buffer[start] ?? 0) & 0x80) !== 0) return buffer.readUIntBE(start + length - 6, 6);
  return Number.parseInt(string(buffer, start, length).trim() || "0", 8);
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < blockSize; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  return sum;
}

function paxRecords(records: Buffer): Extension {
  const result: { -readonly [Key in keyof Extension]: Extension[Key] } = {};
  for (let position = 0; position < records.length; ) {
    const space = records.indexOf(0x20, position);
    const length = Number.parseInt(records.toString("latin1", position, space), 10);
    if (space < 0 || !(length > 0)) break;
    const record = records.toString("utf8", space + 1, position + length - 1);
    if (record.startsWith("path=")) result.path = record.slice("path=".length);
    if (record.startsWith("GNU.sparse.name=")) result.path = record.slice("GNU.sparse.name=".length);
    if (record.startsWith("linkpath=")) result.target = record.slice("linkpath=".length);
    for (const key of ["size", "uid", "gid"] as const) {
      if (record.startsWith(`${key}=`)) result[key] = Number(record.slice(key.length + 1));
    }
    position += length;
  }
  return result;
}
