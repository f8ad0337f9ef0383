import { closeSync, openSync, statSync, utimesSync } from "node:fs";
import { type FileHandle, mkdir, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile, syncFolder } from "../../core/files.ts";
import { type Digest, digestOf, splitDigest } from "../../oci/digest.ts";
import { ifMissing } from "../errors.ts";
import { openStored } from "../files.ts";
import type { StoreLayout } from "./layout.ts";

/**
 * Content by digest. A file gets its final name only after it is verified and synced, and never changes afterwards. So clients always read
 * complete content, even after a crash or on a full disk.
 *
 * To use a blob, first touch its link and its file synchronously. Garbage collection checks their age and removes them synchronously too, so
 * neither can run between the other's check and action.
 */
export class BlobStore {
  readonly #layout: StoreLayout;
  readonly #now: () => number;

  constructor(layout: StoreLayout, now: () => number) {
    this.#layout = layout;
    this.#now = now;
  }

  /** Size of a repository's blob in bytes, or undefined. Protects it from garbage collection for a while. */
  use(repository: string, digest: Digest): number | undefined {
    if (!this.#touch(this.#layout.blobLink(repository, digest))) return undefined;
    return this.#touch(this.#layout.blob(digest)) ? statSync(this.#layout.blob(digest)).size : undefined;
  }

  /** Opens a repository's blob. The handle stays readable even if the blob is deleted meanwhile. */
  async open(repository: string, digest: Digest): Promise<{ handle: FileHandle; size: number } | undefined> {
    if (this.use(repository, digest) === undefined) return undefined;
    return this.openAny(digest);
  }

  /** Opens content of any repository. */
  async openAny(digest: Digest): Promise<{ handle: FileHandle; size: number } | undefined> {
    return openStored(this.#layout.blob(digest));
  }

  /** Adds existing content to a repository. False if the store does not have it. */
  async link(repository: string, digest: Digest): Promise<boolean> {
    await mkdir(this.#layout.blobLinks(repository), { recursive: true });
    if (!this.#touch(this.#layout.blob(digest))) return false;
    const link = this.#layout.blobLink(repository, digest);
    closeSync(openSync(link, "a", 0o600));
    this.#touch(link);
    await syncFolder(dirname(link));
    return true;
  }

  /** Moves a verified and synced file into the store. */
  async adopt(file: string, digest: Digest): Promise<void> {
    const target = this.#layout.blob(digest);
    if (this.#touch(target)) {
      await rm(file);
      return;
    }
    await mkdir(dirname(target), { recursive: true });
    this.#touch(file);
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

  /** Removes a blob from a repository. False if it had none. The next garbage collection removes the content. */
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
