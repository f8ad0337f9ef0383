import { ByteReader } from "./byte-reader.ts";
import { blockSize } from "./header.ts";
import {
  type Extension,
  entryTypes,
  normalisedPath,
  readExtension,
  readHeader,
  type TarHeader,
} from "./read-header.ts";

export interface ListedEntry {
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "device";
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** As written. */
  readonly target: string;
  readonly head?: Buffer;
}

/** Bytes of a PAX header or long name. */
const maximumExtension = 1 << 20;

/** Constant memory. Ustar, pax, and GNU's long names, large sizes and sparse files. @throws RangeError if damaged */
export async function* listTar(
  tar: AsyncIterable<Uint8Array>,
  headSize: (entry: ListedEntry) => number = () => 0,
): AsyncGenerator<ListedEntry> {
  await using reader = new ByteReader(tar);
  let extension: Extension = {};
  for (;;) {
    const at = reader.position;
    const block = await reader.upTo(blockSize);
    // Two blocks of zeros end a tar, but some writers omit them.
    if (block.length === 0 || (block.length === blockSize && block.every((byte) => byte === 0))) {
      // So that the whole blob is verified.
      while (await reader.some(maximumExtension));
      return;
    }
    const header = block.length === blockSize ? readHeader(block) : undefined;
    if (!header) throw new RangeError(`there is no tar header at byte ${at}`);
    if ("LKx".includes(header.flag)) {
      extension = readExtension(header.flag, await content(reader, header), extension);
      continue;
    }
    const type = entryTypes[header.flag];
    // Links and folders have no content, even if their size is not 0.
    const size = type === undefined || type === "file" ? (extension.size ?? header.size) : 0;
    if (header.flag === "S") await passSparseMap(reader, block);
    if (type) {
      const entry = entryOf(header, extension, type, size);
      const head = await reader.upTo(Math.min(headSize(entry), size));
      yield head.length > 0 ? { ...entry, head } : entry;
      await skip(reader, padded(size) - head.length);
    } else await skip(reader, padded(size));
    // A global header is not an entry, and its fields are ignored.
    if (header.flag !== "g") extension = {};
  }
}

function entryOf(header: TarHeader, extension: Extension, type: ListedEntry["type"], size: number): ListedEntry {
  return {
    path: normalisedPath(extension.path ?? header.path),
    type,
    size,
    mode: header.mode & 0o7777,
    uid: extension.uid ?? header.uid,
    gid: extension.gid ?? header.gid,
    target: extension.target ?? header.target,
  };
}

async function content(reader: ByteReader, { size }: TarHeader): Promise<Buffer> {
  if (size > maximumExtension) throw new RangeError(`a name has ${size} bytes at byte ${reader.position}`);
  const bytes = await reader.upTo(padded(size));
  if (bytes.length < padded(size)) throw cutShort(reader);
  return bytes.subarray(0, size);
}

function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

async function skip(reader: ByteReader, count: number): Promise<void> {
  const end = reader.position + count;
  while (reader.position < end) if (!(await reader.some(end - reader.position))) throw cutShort(reader);
}

/** GNU's old sparse files: a map that does not fit the header continues in blocks before the content. */
async function passSparseMap(reader: ByteReader, block: Buffer): Promise<void> {
  for (let isExtended = block[482] === 1; isExtended; ) {
    const more = await reader.upTo(blockSize);
    if (more.length < blockSize) throw cutShort(reader);
    isExtended = more[504] === 1;
  }
}

function cutShort(reader: ByteReader): RangeError {
  return new RangeError(`the tar is cut short at byte ${reader.position}`);
}
