import { closeSync, openSync, statSync, utimesSync } from "node:fs";
import { mkdir, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../../core/errors.ts";
import { replaceFile, syncFolder } from "../../core/files.ts";
import { describeReferrer } from "../../oci/artifact.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import {
  checkIndexDepth,
  type ImageIndex,
  type ImageManifest,
  isIndex,
  maximumManifestSize,
  parseManifest,
} from "../../oci/manifest.ts";
import { isNondistributable } from "../../oci/media-types.ts";
import { ifMissing, RegistryError } from "../errors.ts";
import { damaged, readStored } from "../files.ts";
import type { BlobStore } from "./blobs.ts";
import { digestsIn, namesIn, type StoreLayout } from "./layout.ts";

export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Bytes of a tag or a media type. */
const longestText = 1024;

/** Milliseconds of age at which a read touches the file. */
const touchAfter = 60 * 60 * 1000;

/** A manifest is stored after its content and before its tags, so that a tag always leads to a complete image. */
export class ManifestStore {
  readonly #layout: StoreLayout;
  readonly #blobs: BlobStore;
  readonly #now: () => number;

  constructor(layout: StoreLayout, blobs: BlobStore, now: () => number) {
    this.#layout = layout;
    this.#blobs = blobs;
    this.#now = now;
  }

  async resolve(repository: string, tag: string): Promise<Digest | undefined> {
    const text = (await readStored(this.#layout.tag(repository, tag), longestText))?.toString();
    return isDigest(text) ? text : undefined;
  }

  /** Counts as use, which protects it from garbage collection. */
  async read(repository: string, digest: Digest): Promise<StoredManifest | undefined> {
    this.#keepYoung(this.#layout.manifest(repository, digest));
    return this.peek(repository, digest);
  }

  async peek(repository: string, digest: Digest): Promise<StoredManifest | undefined> {
    const path = this.#layout.manifest(repository, digest);
    const mediaType = (await readStored(path, longestText))?.toString();
    if (mediaType === undefined) return undefined;
    if (/[^ -~]/.test(mediaType)) throw damaged(path, "is not a media type");
    const bytes = await readStored(this.#layout.blob(digest), maximumManifestSize);
    return bytes && { digest, mediaType, bytes };
  }

  /** Then sets the tag. Returns its subject's digest. @throws RegistryError if it is invalid or lacks content */
  async write(
    repository: string,
    manifest: { readonly digest: Digest; readonly mediaType: string | undefined; readonly bytes: Uint8Array },
    tag?: string,
  ): Promise<{ subject?: Digest }> {
    const { digest, bytes } = manifest;
    const parsed = parse(bytes, manifest.mediaType);
    this.#checkParts(repository, parsed);
    await this.#checkDepth(repository, digest, parsed);
    await this.#blobs.write(bytes, digest);
    await mkdir(this.#layout.manifests(repository), { recursive: true });
    const subject = parsed.subject?.digest;
    if (subject) {
      // First, so that the list never misses a manifest. Entries without a manifest are ignored.
      const referrer = this.#layout.referrer(repository, subject, digest);
      await mkdir(dirname(referrer), { recursive: true });
      closeSync(openSync(referrer, "a", 0o600));
      await syncFolder(dirname(referrer));
    }
    await replaceFile(this.#layout.manifest(repository, digest), parsed.mediaType, this.#layout.temporary);
    if (tag !== undefined) {
      await mkdir(this.#layout.tags(repository), { recursive: true });
      await replaceFile(this.#layout.tag(repository, tag), digest, this.#layout.temporary);
    }
    return subject ? { subject } : {};
  }

  /** Keeps the manifest. False: it did not exist. */
  async untag(repository: string, tag: string): Promise<boolean> {
    return (await unlink(this.#layout.tag(repository, tag)).then(() => true, ifMissing)) ?? false;
  }

  /** Removes the tags too. False: it did not exist. */
  async remove(repository: string, digest: Digest): Promise<boolean> {
    const manifest = await this.peek(repository, digest);
    if (!manifest) return false;
    for (const tag of await this.tags(repository)) {
      if ((await this.resolve(repository, tag)) === digest) await this.untag(repository, tag);
    }
    await rm(this.#layout.manifest(repository, digest), { force: true });
    const subject = parse(manifest.bytes, manifest.mediaType).subject?.digest;
    if (subject) await rm(this.#layout.referrer(repository, subject, digest), { force: true });
    return true;
  }

  /** By their bytes. */
  async tags(repository: string): Promise<string[]> {
    return (await namesIn(this.#layout.tags(repository))).sort();
  }

  async list(repository: string): Promise<Digest[]> {
    return digestsIn(this.#layout.manifests(repository));
  }

  async referrers(repository: string, subject: Digest): Promise<Descriptor[]> {
    const found: Descriptor[] = [];
    for (const digest of (await digestsIn(this.#layout.referrers(repository, subject))).sort()) {
      const manifest = await this.peek(repository, digest);
      if (!manifest) continue;
      const { bytes, mediaType } = manifest;
      found.push(describeReferrer({ ...parse(bytes, mediaType), mediaType }, { digest, size: bytes.length }));
    }
    return found;
  }

  async userOf(repository: string, blob: Digest): Promise<Digest | undefined> {
    for (const digest of await this.list(repository)) {
      const stored = await this.peek(repository, digest);
      if (stored && partsOf(parse(stored.bytes, stored.mediaType)).some((part) => part.digest === blob)) return digest;
    }
    return undefined;
  }

  /** Refuses an index that no walk over images would finish. Reads each index below it once. */
  async #checkDepth(repository: string, digest: Digest, manifest: ImageManifest | ImageIndex): Promise<void> {
    const seen = new Set<Digest>();
    let level: readonly Descriptor[] = isIndex(manifest) ? manifest.manifests : [];
    for (let depth = 1; level.length > 0; depth++) {
      inAnswer(() => checkIndexDepth(depth, `${repository}@${digest}`));
      const next: Descriptor[] = [];
      for (const child of level) {
        if (seen.has(child.digest)) continue;
        seen.add(child.digest);
        const stored = await this.peek(repository, child.digest);
        const inside = stored && parse(stored.bytes, stored.mediaType);
        if (inside && isIndex(inside)) next.push(...inside.manifests);
      }
      level = next;
    }
  }

  #checkParts(repository: string, manifest: ImageManifest | ImageIndex): void {
    for (const part of partsOf(manifest)) {
      const size = isIndex(manifest) ? this.#useManifest(repository, part.digest) : undefined;
      const actual = size ?? this.#blobs.use(repository, part.digest);
      if (actual === undefined) {
        const problem = `${repository} does not have ${part.digest}: push it first.`;
        throw new RegistryError(400, "MANIFEST_BLOB_UNKNOWN", problem);
      }
      if (actual !== part.size) {
        const problem = `${part.digest} has ${actual} bytes, the manifest says ${part.size}.`;
        throw new RegistryError(400, "MANIFEST_INVALID", problem);
      }
    }
  }

  #useManifest(repository: string, digest: Digest): number | undefined {
    const path = this.#layout.manifest(repository, digest);
    if (!statSync(path, { throwIfNoEntry: false })) return undefined;
    this.#keepYoung(path);
    return statSync(this.#layout.blob(digest), { throwIfNoEntry: false })?.size;
  }

  #keepYoung(path: string): void {
    const status = statSync(path, { throwIfNoEntry: false });
    const now = this.#now();
    if (status && now - status.mtimeMs > touchAfter) utimesSync(path, now / 1000, now / 1000);
  }
}

function partsOf(manifest: ImageManifest | ImageIndex): readonly Descriptor[] {
  if (isIndex(manifest)) return manifest.manifests;
  return [manifest.config, ...manifest.layers.filter((layer) => !isNondistributable(layer.mediaType))];
}

function parse(bytes: Uint8Array, mediaType: string | undefined): ImageManifest | ImageIndex {
  return inAnswer(() =>
    parseManifest(bytes, { document: "The manifest", ...(mediaType === undefined ? {} : { mediaType }) }),
  );
}

/** Lets a client know what is wrong with its manifest. */
function inAnswer<Result>(check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (error instanceof UserError) throw new RegistryError(400, "MANIFEST_INVALID", error.message);
    throw error;
  }
}
