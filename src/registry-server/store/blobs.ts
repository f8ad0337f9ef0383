import { closeSync, openSync, statSync, utimesSync } from "node:fs";
import { type FileHandle, mkdir, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { replaceFile, syncFolder } from "../../core/files.ts";
import { type Digest, digestOf, splitDigest } from "../../oci/digest.ts";
import { ifMissing } from "../errors.ts";
import { openStored } from "../files.ts";
import type { StoreLayout } from "./layout.ts";

/**
 * Content by digest. A file gets its name only once verified and synced, and never changes, so clients always read
 * complete content. Before use, a blob's link and file are touched synchronously; garbage collection also checks and
 * removes them synchronously, so neither runs within the other.
 */
export class BlobStore {
  readonly #layout: StoreLayout;
  readonly #now: () => number;

  constructor(layout: StoreLayout, now: () => number) {
    this.#layout = layout;
    this.#now = now;
  }

  /** Bytes, or undefined. Protects the blob from garbage collection for a while. */
  use(repository: string, digest: Digest): number | undefined {
    if (!this.#touch(this.#layout.blobLink(repository, digest))) return undefined;
    return this.#touch(this.#layout.blob(digest)) ? statSync(this.#layout.blob(digest)).size : undefined;
  }

  /** The handle stays readable if the blob is deleted meanwhile. */
  async open(repository: string, digest: Digest): Promise<{ handle: FileHandle; size: number } | undefined> {
    if (this.use(repository, digest) === undefined) return undefined;
    return this.openAny(digest);
  }

  async openAny(digest: Digest): Promise<{ handle: FileHandle; size: number } | undefined> {
    return openStored(this.#layout.blob(digest));
  }

  /** False: the store does not have it. */
  async link(repository: string, digest: Digest): Promise<boolean> {
    await mkdir(this.#layout.blobLinks(repository), { recursive: true });
    if (!this.#touch(this.#layout.blob(digest))) return false;
    const link = this.#layout.blobLink(repository, digest);
    closeSync(openSync(link, "a", 0o600));
    this.#touch(link);
    await syncFolder(dirname(link));
    return true;
  }

  /** Takes a verified and synced file. */
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

  async write(bytes: Uint8Array, digest: Digest): Promise<void> {
    const actual = digestOf(splitDigest(digest).algorithm, bytes);
    if (actual !== digest) throw new Error(`content of ${actual} cannot be stored as ${digest}`);
    const target = this.#layout.blob(digest);
    if (this.#touch(target)) return;
    await mkdir(dirname(target), { recursive: true });
    await replaceFile(target, bytes, this.#layout.temporary);
  }

  /** False: it had none. The next garbage collection removes the content. */
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
