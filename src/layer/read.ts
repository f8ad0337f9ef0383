import { ByteReader } from "./byte-reader.ts";
import { blockSize } from "./header.ts";
import { type Extension, normalisedPath, readExtension, readHeader, type TarHeader } from "./read-header.ts";

/** One entry of a tar. */
export interface ListedEntry {
  /** Without a leading `./` or `/` and without a trailing `/`; empty for the root. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "device";
  /** Bytes of a file's content; 0 for others. */
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a link: what it says, as it is written. */
  readonly target: string;
  /** The beginning of a file, where it was asked for. */
  readonly head?: Buffer;
}

const types: Readonly<Record<string, ListedEntry["type"]>> = {
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

/** Bytes of a PAX header or long name that are taken: more is no name. */
const maximumExtension = 1 << 20;

/**
 * The entries of a tar as it goes by; contents are passed over, so memory does not grow with them. Reads POSIX ustar and pax, and GNU's
 * long names, large sizes and sparse files, which is what images consist of.
 *
 * @param headSize how many bytes of a file's content come with its entry; by default none
 * @throws RangeError when it is no tar, damaged or cut short
 */
export async function* listTar(
  tar: AsyncIterable<Uint8Array>,
  headSize: (entry: ListedEntry) => number = () => 0,
): AsyncGenerator<ListedEntry> {
  const reader = new ByteReader(tar);
  let extension: Extension = {};
  try {
    for (;;) {
      const at = reader.position;
      const block = await reader.upTo(blockSize);
      // Two blocks of zeros end a tar; some writers leave them out.
      if (block.length === 0 || (block.length === blockSize && block.every((byte) => byte === 0))) {
        // What verifies the blob wants all of it.
        while (await reader.some(maximumExtension));
        return;
      }
      const header = block.length === blockSize ? readHeader(block) : undefined;
      if (!header) throw new RangeError(`there is no tar header at byte ${at}`);
      if ("LKx".includes(header.flag)) {
        extension = readExtension(header.flag, await content(reader, header), extension);
        continue;
      }
      const type = types[header.flag];
      const size = isLinkOrFolder(type) ? 0 : (extension.size ?? header.size);
      if (header.flag === "S") await passSparseMap(reader, block);
      if (type) {
        const entry = entryOf(header, extension, type, size);
        const head = await reader.upTo(Math.min(headSize(entry), size));
        yield head.length > 0 ? { ...entry, head } : entry;
        await skip(reader, padded(size) - head.length);
      } else await skip(reader, padded(size));
      // A global header, which is none of the types, says nothing of what follows it.
      if (header.flag !== "g") extension = {};
    }
  } finally {
    await reader.close();
  }
}

function entryOf(header: TarHeader, extension: Extension, type: ListedEntry["type"], size: number): ListedEntry {
  return {
    path: normalisedPath(extension.path ?? header.path),
    type,
    size: type === "file" ? size : 0,
    mode: header.mode & 0o7777,
    uid: extension.uid ?? header.uid,
    gid: extension.gid ?? header.gid,
    target: extension.target ?? header.target,
  };
}

/** What no content follows, whatever its size says. */
function isLinkOrFolder(type: ListedEntry["type"] | undefined): boolean {
  return type !== undefined && type !== "file";
}

async function content(reader: ByteReader, { size }: TarHeader): Promise<Buffer> {
  if (size > maximumExtension) throw new RangeError(`a name has ${size} bytes at byte ${reader.position}`);
  const bytes = await reader.upTo(padded(size));
  if (bytes.length < padded(size)) throw cutShort(reader);
  return bytes.subarray(0, size);
}

/** Bytes that content takes with what pads it to whole blocks. */
function padded(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}

async function skip(reader: ByteReader, count: number): Promise<void> {
  const end = reader.position + count;
  while (reader.position < end) if (!(await reader.some(end - reader.position))) throw cutShort(reader);
}

/** GNU's old sparse files: where the first block's map does not suffice, further blocks of it come before the content. */
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
