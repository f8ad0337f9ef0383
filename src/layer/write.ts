import { createHash } from "node:crypto";
import { closeSync } from "node:fs";
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { Failure } from "../core/errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { LayerMetadata } from "../oci/layer.ts";
import { BlobHash } from "./blob-hash.ts";
import { type Codec, type Compression, codecOf, layerMediaTypes } from "./compression.ts";
import type { TarEntry } from "./entry.ts";
import { type FileView, viewOf } from "./file-view.ts";
import { header, paddingOf, trailerSize } from "./header.ts";
import { checkNative, type NativeCheck } from "./native.ts";
import { withNewFile, writeFully } from "./output.ts";
import { planEntries } from "./plan.ts";
import { type Compressed, compressOnce, type SegmentCache, type StoredSegment } from "./segment-cache.ts";
import { endsBefore, segmentLimit, standsAlone } from "./segments.ts";
import { openSource, readFully } from "./source.ts";

export interface LayerOptions {
  /** {@link planEntries} orders them and adds parents. */
  readonly entries: Iterable<TarEntry>;
  /** Published atomically. */
  readonly output: string;
  readonly compression: Compression;
  /** For the image's history. */
  readonly comment?: string;
  /** Default: no check. */
  readonly native?: NativeCheck;
  /** Gets each file before it is written. Default: nobody looks. */
  readonly look?: (file: FileView) => void;
  readonly cache?: SegmentCache;
  /** Aborts between two segments. */
  readonly signal?: AbortSignal;
}

/** Uses a few MiB of memory. The bytes depend only on the entries and the compression. */
export async function writeLayer(options: LayerOptions): Promise<LayerMetadata> {
  const entries = planEntries(options.entries);
  options.cache?.load(options.output);
  const { written, segments } = await withNewFile(options.output, async (fd) => {
    await using blob = new BlobWriter(options, fd);
    const tar = new TarWriter(blob, options);
    for (const entry of entries) await tar.add(entry);
    return { written: await tar.end(), segments: blob.segments };
  });
  options.cache?.keep(options.output, segments);
  const mediaType = layerMediaTypes[options.compression];
  return { mediaType, ...written, ...(options.comment ? { comment: options.comment } : {}) };
}

type Written = Pick<LayerMetadata, "digest" | "size" | "diffId">;

/** Reads files directly into their segment, without a copy. */
class TarWriter {
  readonly #blob: BlobWriter;
  readonly #options: Pick<LayerOptions, "native" | "look" | "signal">;
  #segment: Segment;
  #used = 0;

  constructor(blob: BlobWriter, options: Pick<LayerOptions, "native" | "look" | "signal">) {
    this.#blob = blob;
    this.#options = options;
    this.#segment = blob.newSegment();
  }

  async add(entry: TarEntry): Promise<void> {
    if (entry.type !== "file") return this.#entry(entry, 0, () => {});
    const { native, look } = this.#options;
    const { path } = entry;
    if ("bytes" in entry.content) {
      const { bytes } = entry.content;
      const read = (target: Uint8Array, at: number) => target.set(bytes.subarray(at, at + target.length));
      look?.(viewOf(path, bytes.length, read));
      return this.#entry(entry, bytes.length, read);
    }
    if ("read" in entry.content) {
      const { size, read } = entry.content;
      look?.(viewOf(path, size, read));
      return this.#entry(entry, size, read);
    }
    const { file } = entry.content;
    const source = openSource(file, entry.path);
    try {
      if (native) checkNative(source.fd, entry.path, file, native);
      look?.(viewOf(path, source.size, (target, at) => readFully(source, target, file, at)));
      this.#blob.expect(source.size);
      await this.#entry(entry, source.size, (target) => readFully(source, target, file));
    } finally {
      closeSync(source.fd);
    }
  }

  async end(): Promise<Written> {
    if (endsBefore("", trailerSize, this.#used)) await this.#flush();
    await this.#append(trailerSize, zeros);
    await this.#flush();
    return this.#blob.end();
  }

  async #entry(entry: TarEntry, size: number, fill: (target: Buffer, at: number) => void): Promise<void> {
    const head = header(entry, size);
    const padding = paddingOf(size);
    const total = head.length + size + padding;
    if (endsBefore(entry.path, total, this.#used)) await this.#flush();
    await this.#append(head.length, (target, at) => target.set(head.subarray(at, at + target.length)));
    await this.#append(size, fill);
    await this.#append(padding, zeros);
    if (standsAlone(total)) await this.#flush();
  }

  async #append(size: number, fill: (target: Buffer, at: number) => void): Promise<void> {
    for (let at = 0; at < size; ) {
      if (this.#used === segmentLimit) await this.#flush();
      const count = Math.min(size - at, segmentLimit - this.#used);
      fill(this.#segment.subarray(this.#used, this.#used + count), at);
      this.#used += count;
      at += count;
    }
  }

  async #flush(): Promise<void> {
    if (this.#used === 0) return;
    this.#options.signal?.throwIfAborted();
    await this.#blob.write(this.#segment, this.#used);
    this.#segment = this.#blob.newSegment();
    this.#used = 0;
  }
}

const zeros = (target: Buffer) => target.fill(0);

type Segment = Buffer<ArrayBuffer>;

class BlobWriter {
  readonly segments: StoredSegment[] = [];
  readonly #path: string;
  readonly #fd: number;
  readonly #codec: Codec | undefined;
  readonly #cache: SegmentCache | undefined;
  readonly #tarHash = createHash("sha256");
  /** Undefined if the blob is the uncompressed tar. */
  readonly #blobHash: BlobHash | undefined;
  readonly #pending: { readonly compressed: Promise<Compressed>; readonly segment: Segment }[] = [];
  readonly #free: Segment[] = [];
  #size = 0;

  constructor({ output, compression, cache }: Pick<LayerOptions, "output" | "compression" | "cache">, fd: number) {
    this.#path = output;
    this.#fd = fd;
    this.#codec = codecOf(compression);
    this.#cache = cache;
    this.#blobHash = this.#codec && new BlobHash(output, fd);
  }

  newSegment(): Segment {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(segmentLimit);
  }

  expect(size: number): void {
    this.#blobHash?.expect(size);
  }

  /** Takes ownership of a segment. Returns when there is room for another. */
  async write(segment: Segment, used: number): Promise<void> {
    const content = segment.subarray(0, used);
    if (!this.#codec) {
      this.#tarHash.update(content);
      this.#put({ bytes: content }, segment);
      // Lets the worker's other requests run.
      await setImmediate();
      return;
    }
    const compressed = compressOnce(this.#codec, this.#cache, content);
    // Awaited later, maybe after another one has failed.
    compressed.catch(() => {});
    this.#tarHash.update(content);
    this.#pending.push({ compressed, segment });
    if (this.#pending.length > concurrency) await this.#putFirst();
  }

  async end(): Promise<Written> {
    while (this.#pending.length > 0) await this.#putFirst();
    const diffId: Digest = `sha256:${this.#tarHash.digest("hex")}`;
    return { digest: (await this.#blobHash?.digest()) ?? diffId, size: this.#size, diffId };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#blobHash?.close();
  }

  async #putFirst(): Promise<void> {
    const first = this.#pending.shift();
    if (first) this.#put(await first.compressed, first.segment);
  }

  #put({ bytes, key }: Compressed, segment: Segment): void {
    if (key !== undefined) {
      this.segments.push({ key, offset: this.#size, size: bytes.length, crc: crc32(bytes) });
    }
    this.#size += bytes.length;
    try {
      writeFully(this.#fd, bytes);
    } catch (cause) {
      throw new Failure(
        { code: "file-unwritable", culprit: this.#path },
        `${this.#path} could not be written: ${(cause as Error).message}.`,
        "Free space on that disk, then build again.",
        { cause },
      );
    }
    this.#blobHash?.update(bytes);
    this.#free.push(segment);
  }
}

/** One more than the four threads of Node's pool, to keep them busy. */
const concurrency = Math.min(availableParallelism(), 4) + 1;
