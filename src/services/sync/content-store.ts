import { createHash, type Hash } from "node:crypto";
import { constants, copyFile, type FileHandle, link, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { Failure } from "../../core/errors.ts";
import { type Digest, splitDigest } from "../../oci/digest.ts";
import { keptFor } from "./uses.ts";
import type { Volume } from "./volume.ts";

/** A file by what is in it. A mode belongs to a file, not to its name, so the same content may be there twice. */
export interface Content {
  readonly digest: Digest;
  readonly size: number;
  readonly isExecutable: boolean;
}

/** Gives content from byte `start` on. */
export type OpenContent = (start: number) => Readable;

/** Bytes that are read at a time. */
const chunk = 1024 * 1024;

/**
 * Files of a volume under their digests, `files/sha256/HEX`. Files are checked before use, and damaged ones are removed.
 * To be used by who has the volume's lock for it.
 */
export class ContentStore {
  readonly #volume: Volume;

  constructor(volume: Volume) {
    this.#volume = volume;
  }

  /** Whether the store has an intact file. Removes a damaged one. */
  async has(content: Content): Promise<boolean> {
    const path = this.#path(content);
    const state = await this.check(path, content);
    if (state === "damaged") await rm(path, { recursive: true, force: true });
    return state === "right";
  }

  /** Whether a file is there and is what it should be. */
  async check(path: string, { digest, size, isExecutable }: Content): Promise<"right" | "damaged" | "missing"> {
    const found = await lstat(path).catch(() => undefined);
    if (!found) return "missing";
    const isMode = ((found.mode & 0o111) !== 0) === isExecutable;
    if (!found.isFile() || found.size !== size || !isMode) return "damaged";
    const hash = createHash("sha256");
    await readInto(hash, path, size);
    return digestOf(hash) === digest ? "right" : "damaged";
  }

  /**
   * Brings in a file, from where an earlier attempt stopped.
   *
   * @param onBytes told of bytes as they come
   * @returns bytes that were fetched
   * @throws Failure when what comes is something else
   */
  async fetch(content: Content, source: OpenContent, onBytes: (count: number) => void = () => {}): Promise<number> {
    const { digest, size } = content;
    const partial = this.#volume.path("partial", nameOf(content));
    await mkdir(dirname(partial), { recursive: true });
    const handle = await openPartial(partial);
    let fetched = 0;
    try {
      const kept = Math.min((await handle.stat()).size, size);
      await handle.truncate(kept);
      let hash = createHash("sha256");
      await readInto(hash, partial, kept);
      fetched += await receive(handle, kept, size, hash, source, onBytes);
      let actual = digestOf(hash);
      if (actual !== digest && kept > 0) {
        // The kept part may be damaged: fetch all of it again.
        await handle.truncate(0);
        hash = createHash("sha256");
        fetched += await receive(handle, 0, size, hash, source, onBytes);
        actual = digestOf(hash);
      }
      if (actual !== digest) throw new WrongContent(actual, digest);
      await handle.chmod(modeOf(content));
    } catch (error) {
      if (error instanceof WrongContent) await rm(partial, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    await this.#keep(partial, content);
    return fetched;
  }

  /** Bytes of a file that an earlier attempt has brought in, and that need no more room. */
  async kept(content: Content): Promise<number> {
    const found = await lstat(this.#volume.path("partial", nameOf(content))).catch(() => undefined);
    return Math.min(found?.size ?? 0, content.size);
  }

  /** Keeps bytes that were checked. */
  async write(content: Content, bytes: Uint8Array): Promise<void> {
    const draft = this.#volume.path("partial", `${nameOf(content)}.part`);
    await mkdir(dirname(draft), { recursive: true });
    await rm(draft, { force: true });
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.chmod(modeOf(content));
    } finally {
      await handle.close();
    }
    await this.#keep(draft, content);
  }

  /** Puts a file of the store at a path where there is none. */
  async place(content: Content, path: string): Promise<void> {
    const source = this.#path(content);
    await link(source, path).catch(async (error: NodeJS.ErrnoException) => {
      // File systems without links, and one with as many of a file as it can have.
      if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "ENOSYS"].includes(error.code ?? "")) throw error;
      await copyFile(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    });
  }

  /** Removes files that are in no model, unless they came so lately that a model may still be on its way. */
  async prune(): Promise<void> {
    const folder = this.#volume.path("files", "sha256");
    for (const name of await readdir(folder)) {
      const { nlink, mtimeMs } = await lstat(join(folder, name));
      if (nlink === 1 && mtimeMs < Date.now() - keptFor) await rm(join(folder, name), { force: true });
    }
  }

  async #keep(draft: string, content: Content): Promise<void> {
    const path = this.#path(content);
    await mkdir(dirname(path), { recursive: true });
    await rename(draft, path);
  }

  #path(content: Content): string {
    return this.#volume.path("files", "sha256", nameOf(content));
  }
}

/** The same bytes may be there executable and not, and both be fetched at one time. */
function nameOf({ digest, isExecutable }: Content): string {
  return `${splitDigest(digest).hex}${isExecutable ? ".x" : ""}`;
}

async function openPartial(path: string): Promise<FileHandle> {
  const found = await lstat(path).catch(() => undefined);
  // One that was complete, and its program was ended before it had its name: nobody may write to it any more.
  if (found && (found.mode & 0o200) === 0) await rm(path);
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
}

async function readInto(hash: Hash, path: string, size: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(chunk, size));
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let position = 0; position < size; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - position), position);
      if (bytesRead === 0) return;
      hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

class WrongContent extends Failure {
  constructor(actual: Digest, expected: Digest) {
    super(
      { code: "registry-failed", culprit: expected },
      `The registry sent ${actual} for ${expected}.`,
      "Try again. If it happens again, the registry's copy is damaged: push the model again.",
    );
  }
}

async function receive(
  handle: FileHandle,
  start: number,
  size: number,
  hash: Hash,
  source: OpenContent,
  onBytes: (count: number) => void,
): Promise<number> {
  if (start === size) return 0;
  let position = start;
  for await (const bytes of source(start) as AsyncIterable<Buffer>) {
    if (position + bytes.length > size) break;
    hash.update(bytes);
    // A disk that becomes full takes less than it is given, and says so the next time alone.
    for (let written = 0; written < bytes.length; ) {
      written += (await handle.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
    }
    position += bytes.length;
    onBytes(bytes.length);
  }
  return position - start;
}

function digestOf(hash: Hash): Digest {
  return `sha256:${hash.digest("hex")}`;
}

/** Nobody writes to it: it may be in several models. */
function modeOf({ isExecutable }: Content): number {
  return isExecutable ? 0o555 : 0o444;
}
