import { Failure } from "../core/errors.ts";
import { blockSize } from "../layer/header.ts";
import { type Extension, entryTypes, normalisedPath, readExtension, readHeader } from "../layer/read-header.ts";

/** Its content is `size` bytes at `offset` of the tar file. */
export interface TarEntry {
  /** Without a leading `./` or `/` and without a trailing `/`; empty for the root. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "device";
  /** With setuid, setgid and sticky: `0o7777`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly offset: number;
  readonly size: number;
  /** As written for symlinks, like `path` for hard links; empty for others. */
  readonly target: string;
}

export interface RandomAccess {
  stat(): Promise<{ size: number }>;
  read(buffer: Buffer, at: number, size: number, position: number): Promise<{ buffer: Buffer; bytesRead: number }>;
}

/** Bytes of a header's extension. */
const maximumExtension = 1 << 20;

/** Entries take about 100 bytes beside their names. Debian's largest packages have a fifth of them. */
const maximumEntries = 500_000;

/** Characters of all names. */
const maximumNames = 64 << 20;

/** The dialects that dpkg reads: POSIX ustar, GNU long names and PAX paths. Reads only headers, to save memory. */
export async function indexTar(file: RandomAccess, name: string): Promise<TarEntry[]> {
  const total = (await file.stat()).size;
  const entries: TarEntry[] = [];
  const read = async (position: number, size: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, position);
    if (bytesRead < size) throw damaged(name, `is cut short at byte ${position}`);
    return buffer;
  };
  let extension: Extension = {};
  let names = 0;
  for (let position = 0; position + blockSize <= total; ) {
    const block = await read(position, blockSize);
    if (block.every((byte) => byte === 0)) break;
    const header = readHeader(block);
    if (!header) throw damaged(name, `has a damaged header at byte ${position}`);
    const { flag, size, mode, uid, gid } = header;
    const offset = position + blockSize;
    position = offset + Math.ceil(size / blockSize) * blockSize;
    if (offset + size > total) throw damaged(name, `is cut short at byte ${total}`);
    if ("LKx".includes(flag)) {
      if (size > maximumExtension) throw damaged(name, `has an extension of ${size} bytes at byte ${offset}`);
      extension = readExtension(flag, await read(offset, size), extension);
      continue;
    }
    const type = flag === "S" ? undefined : entryTypes[flag];
    if (type !== undefined) {
      const target = extension.target ?? header.target;
      const path = normalisedPath(extension.path ?? header.path);
      const link = normalisedPath(target);
      const outside = [path, ...(type === "hardlink" ? [link] : [])].find((each) => each.split("/").includes(".."));
      if (outside !== undefined) throw damaged(name, `names ${JSON.stringify(outside)}, which leads out of it`);
      names += path.length + link.length;
      if (entries.length >= maximumEntries || names > maximumNames)
        throw damaged(name, `has more than ${maximumEntries} entries, or ${maximumNames} characters in their names`);
      entries.push({
        path,
        type,
        mode: mode & 0o7777,
        uid,
        gid,
        offset,
        size: type === "file" ? size : 0,
        target: type === "symlink" ? target : type === "hardlink" ? link : "",
      });
    }
    extension = {};
  }
  return entries;
}

function damaged(name: string, problem: string): Failure {
  return new Failure({ code: "file-invalid", culprit: name }, `${name} ${problem}.`, "Download the package again.");
}
