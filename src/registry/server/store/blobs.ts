import { closeSync, openSync, statSync, utimesSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile, syncFolder } from "../../../core/files.ts";
import { type Digest, digestOf, splitDigest } from "../../../oci/digest.ts";
import { ifMissing } from "../errors.ts";
import type { StoreLayout } from "./layout.ts";

/**
 * Content by digest. A file has its final name only after every byte of it was hashed and is on the disk, and is never written again:
 * so whatever a client reads is whole, wherever a crash, a kill or a full disk came.
 *
 * Whoever relies on a blob touches its link and its file first, in one step without waiting. Garbage collection looks at their age
 * and removes them in one such step too, so that neither can come between the other's look and act.
 */
export class BlobStore {
  readonly #layout: StoreLayout;
  readonly #now: () => number;

  constructor(layout: StoreLayout, now: () => number) {
    this.#layout = layout;
    this.#now = now;
  }

  /** Bytes of a blob that the repository has, undefined when it has none; keeps it from being collected for a while. */
  use(repository: string, digest: Digest): number | undefined {
    if (!this.#touch(this.#layout.blobLink(repository, digest))) return undefined;
    return this.#touch(this.#layout.blob(digest)) ? statSync(this.#layout.blob(digest)).size : undefined;
  }

  /** Opens a blob that the repository has. The handle reads it to its end even when it is deleted meanwhile. */
  async open(repository: string, digest: Digest): Promise<{ handle: FileHandle; size: number } | undefined> {
    if (this.use(repository, digest) === undefined) return undefined;
    return this.openAny(digest);
  }

  /** Opens content, whichever repository has it. */
  async openAny(digest: Digest): Promise<{ handle: FileHandle; size: number } | undefined> {
    const handle = await open(this.#layout.blob(digest), "r").catch(ifMissing);
    return handle && { handle, size: (await handle.stat()).size };
  }

  /** Gives a repository content that the store has. False when it has not. */
  async link(repository: string, digest: Digest): Promise<boolean> {
    await mkdir(this.#layout.blobLinks(repository), { recursive: true });
    if (!this.#touch(this.#layout.blob(digest))) return false;
    const link = this.#layout.blobLink(repository, digest);
    closeSync(openSync(link, "a", 0o600));
    this.#touch(link);
    await syncFolder(dirname(link));
    return true;
  }

  /** Takes over a file whose bytes were verified and synced. */
  async adopt(file: string, digest: Digest): Promise<void> {
    const target = this.#layout.blob(digest);
    if (this.#touch(target)) {
      await rm(file);
      return;
    }
    await mkdir(dirname(target), { recursive: true });
    await rename(file, target);
    await syncFolder(dirname(target));
  }

  /** Stores small content. */
  async write(bytes: Uint8Array, digest: Digest): Promise<void> {
    const actual = digestOf(splitDigest(digest).algorithm, bytes);
    if (actual !== digest) throw new Error(`content of ${actual} cannot be stored as ${digest}`);
    const target = this.#layout.blob(digest);
    if (this.#touch(target)) return;
    await mkdir(dirname(target), { recursive: true });
    await replaceFile(target, bytes, this.#layout.temporary);
  }

  /** Takes a blob from a repository. False when it had none. The content goes with the next garbage collection. */
  async unlink(repository: string, digest: Digest): Promise<boolean> {
    const link = this.#layout.blobLink(repository, digest);
    const gone = await unlink(link).then(() => true, ifMissing);
    if (gone) await syncFolder(dirname(link));
    return gone ?? false;
  }

  #touch(path: string): boolean {
    const seconds = this.#now() / 1000;
    try {
      utimesSync(path, seconds, seconds);
      return true;
    } catch (error) {
      ifMissing(error);
      return false;
    }
  }
}
