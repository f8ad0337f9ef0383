import { createHash, type Hash } from "node:crypto";
import { constants, copyFile, type FileHandle, link, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { Failure } from "../../core/errors.ts";
import { type Digest, splitDigest } from "../../oci/digest.ts";
import { keptFor, type Volume } from "./volume.ts";

/** A mode belongs to a file, not to its name, so the same bytes may be stored twice. */
export interface Content {
  readonly digest: Digest;
  readonly size: number;
  readonly isExecutable: boolean;
}

export type OpenContent = (start: number) => Readable;

const chunk = 1024 * 1024;

/** Files by digest, `files/sha256/HEX`. Removes damaged ones. Requires the volume's lock. */
export class ContentStore {
  readonly #volume: Volume;

  constructor(volume: Volume) {
    this.#volume = volume;
  }

  /** Removes a damaged file. */
  async has(content: Content): Promise<boolean> {
    const path = this.#path(content);
    const state = await this.check(path, content);
    if (state === "damaged") await rm(path, { recursive: true, force: true });
    return state === "right";
  }

  async check(path: string, { digest, size, isExecutable }: Content): Promise<"right" | "damaged" | "missing"> {
    const found = await lstat(path).catch(() => undefined);
    if (!found) return "missing";
    const isMode = ((found.mode & 0o111) !== 0) === isExecutable;
    if (!found.isFile() || found.size !== size || !isMode) return "damaged";
    const hash = createHash("sha256");
    await readInto(hash, path, size);
    return digestOf(hash) === digest ? "right" : "damaged";
  }

  /** From where an earlier attempt stopped. Returns the bytes that were fetched. @throws Failure for another digest */
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

  /** Bytes that an earlier attempt has stored already. */
  async kept(content: Content): Promise<number> {
    const found = await lstat(this.#volume.path("partial", nameOf(content))).catch(() => undefined);
    return Math.min(found?.size ?? 0, content.size);
  }

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

  /** Links or copies a file to a new path. */
  async place(content: Content, path: string): Promise<void> {
    const source = this.#path(content);
    await link(source, path).catch(async (error: NodeJS.ErrnoException) => {
      // File systems without links, or with a limit that is reached.
      if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "ENOSYS"].includes(error.code ?? "")) throw error;
      await copyFile(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    });
  }

  /** Removes files without a model, unless they are new: their model may be about to come. */
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

function nameOf({ digest, isExecutable }: Content): string {
  return `${splitDigest(digest).hex}${isExecutable ? ".x" : ""}`;
}

async function openPartial(path: string): Promise<FileHandle> {
  const found = await lstat(path).catch(() => undefined);
  // A complete file whose process was killed before the rename. It is read-only.
  if (found && (found.mode & 0o200) === 0) await rm(path);
  return open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
}

async function readInto(hash: Hash, path: string, size: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(chunk, size));
  await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  for (let position = 0; position < size; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - position), position);
    if (bytesRead === 0) return;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
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
    // A nearly full disk accepts a part, and reports an error only the next time.
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

/** Read-only: several models may share it. */
function modeOf({ isExecutable }: Content): number {
  return isExecutable ? 0o555 : 0o444;
}
