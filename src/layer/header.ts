import { UserError } from "../core/errors.ts";
import type { TarEntry } from "./entry.ts";

/** Tar's unit: headers take one block, content is padded to whole ones. */
export const blockSize = 512;

/** Limits of ustar's octal fields. */
const maximumSize = 0o77777777777;
const maximumId = 0o7777777;

const typeFlags = { file: "0", hardlink: "1", symlink: "2", directory: "5" } as const;
const extendedTypeFlag = "x";

/** POSIX leaves the encoding of ustar's names open, so other names go into PAX records, which are UTF-8. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII is what is meant
const ascii = /^[\x01-\x7f]*$/;

/**
 * One ustar block, after a PAX extended header only if ustar cannot express the entry (POSIX.1-2017, pax, "ustar
 * Interchange Format" and "pax Extended Header").
 *
 * Own code: files are read directly into segments that are cut between entries, and PAX records must not change with a
 * package's version. tar-stream takes 11 ms to load.
 */
export function header(entry: TarEntry, size: number): Buffer {
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  const target = entry.type === "symlink" || entry.type === "hardlink" ? entry.target : "";
  const records: [key: string, value: string][] = [];

  let name = splitName(path);
  if (!name) {
    records.push(["path", path]);
    name = { prefix: "", name: asciiTail(path) };
  }
  let link = target;
  if (target.length > 100 || !ascii.test(target)) {
    records.push(["linkpath", target]);
    link = asciiTail(target);
  }
  const uid = numeric(records, "uid", entry.uid ?? 0, maximumId);
  const gid = numeric(records, "gid", entry.gid ?? 0, maximumId);
  const length = numeric(records, "size", size, maximumSize);

  const extended = records.length > 0 ? extendedHeader(records, name.name) : undefined;
  const at = extended?.length ?? 0;
  const result = Buffer.alloc(at + blockSize);
  extended?.copy(result);
  const mode = entry.mode ?? 0o755;
  writeBlock(result, at, { ...name, link, typeFlag: typeFlags[entry.type], mode, uid, gid, size: length });
  return result;
}

export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** Two blocks of zeros end an archive. */
export const trailerSize = 2 * blockSize;

type Block = Record<"name" | "typeFlag", string> &
  Record<"mode" | "size", number> &
  Partial<Record<"prefix" | "link", string> & Record<"uid" | "gid", number>>;

function writeBlock(buffer: Buffer, at: number, block: Block): void {
  const put = (offset: number, text: string) => buffer.write(text, at + offset, "latin1");
  put(0, block.name);
  put(100, octal(block.mode & 0o7777, 7));
  put(108, octal(block.uid ?? 0, 7));
  put(116, octal(block.gid ?? 0, 7));
  put(124, octal(block.size, 11));
  put(136, octal(0, 11)); // the time: the epoch
  put(148, "        "); // the checksum counts itself as spaces
  put(156, block.typeFlag);
  put(157, block.link ?? "");
  put(257, "ustar\x0000");
  put(329, octal(0, 7)); // no device
  put(337, octal(0, 7));
  put(345, block.prefix ?? "");
  let sum = 0;
  for (let index = at; index < at + blockSize; index++) sum += buffer[index] as number;
  put(148, `${octal(sum, 6)}\0 `);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function splitName(path: string): { prefix: string; name: string } | undefined {
  if (!ascii.test(path)) return undefined;
  if (path.length <= 100) return { prefix: "", name: path };
  // The first slash that leaves a short enough name; a directory's own last slash leaves none.
  const slash = path.indexOf("/", path.length - 101);
  if (slash <= 0 || slash > 155 || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** The fallback for readers without PAX: the end of a name, with `_` for non-ASCII characters. */
function asciiTail(text: string): string {
  return text.slice(-100).replaceAll(/[^\x20-\x7e]/g, "_");
}

function numeric(records: [string, string][], key: string, value: number, maximum: number): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new UserError(
      { code: "field-invalid", culprit: key },
      `${value} cannot be the ${key} of a file in a layer.`,
      "Give a whole number, 0 or more.",
    );
  }
  if (value <= maximum) return value;
  records.push([key, String(value)]);
  return 0;
}

function extendedHeader(records: readonly (readonly [string, string])[], name: string): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => record(key, value)));
  const result = Buffer.alloc(blockSize + body.length + paddingOf(body.length));
  const block = { name: `PaxHeaders/${name}`.slice(0, 100), typeFlag: extendedTypeFlag, mode: 0o644 };
  writeBlock(result, 0, { ...block, size: body.length });
  body.copy(result, blockSize);
  return result;
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
