import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

/** A compressed segment in a layer. */
export interface StoredSegment {
  /** Its content and compression: {@link segmentKey}. */
  readonly key: string;
  /** Offset in the layer, in bytes. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly crc: number;
}

interface StoredLayer {
  readonly fd: number;
  readonly segments: readonly StoredSegment[];
}

const defaultLimit = 128;

/**
 * Finds compressed segments in the layers that this process has written. Keeps the layer files open, so that it can read them even after Bazel
 * has deleted them, and stores nothing twice. The cache ends with the process.
 *
 * The key of a segment is the digest of its content, and its bytes are verified when read. So the cache never changes a layer.
 */
export class SegmentCache {
  readonly #limit: number;
  /** Layers by path, the oldest first. */
  readonly #layers = new Map<string, StoredLayer>();
  readonly #places = new Map<string, { readonly layer: StoredLayer; readonly segment: StoredSegment }>();

  /** @param limit maximum number of layers; each is an open file */
  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** The compressed segment, or undefined if it is missing or damaged. */
  find(key: string): Uint8Array | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const { layer, segment } = place;
    const bytes = Buffer.allocUnsafeSlow(segment.size);
    if (readSync(layer.fd, bytes, 0, segment.size, segment.offset) === segment.size && crc32(bytes) === segment.crc) {
      return bytes;
    }
    this.#places.delete(key);
    return undefined;
  }

  /** Adds the segments of a complete layer. Replaces those of an earlier layer at the same path. */
  keep(path: string, segments: readonly StoredSegment[]): void {
    if (segments.length === 0) return;
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch {
      // For example too many open files. The layer itself is complete, so ignore it.
      return;
    }
    const layer = { fd, segments };
    for (const segment of segments) this.#places.set(segment.key, { layer, segment });
    this.#drop(path);
    this.#layers.set(path, layer);
    for (const oldest of this.#layers.keys()) {
      if (this.#layers.size <= this.#limit) break;
      this.#drop(oldest);
    }
  }

  /** Closes all files. */
  close(): void {
    for (const path of this.#layers.keys()) this.#drop(path);
  }

  #drop(path: string): void {
    const layer = this.#layers.get(path);
    if (layer === undefined) return;
    this.#layers.delete(path);
    for (const { key } of layer.segments) {
      if (this.#places.get(key)?.layer === layer) this.#places.delete(key);
    }
    closeSync(layer.fd);
  }
}

/** The key of a segment. @param kind its compression */
export async function segmentKey(kind: string, segment: Uint8Array<ArrayBuffer>): Promise<string> {
  // On another thread, since this one computes the digest of the whole layer.
  const digest = await crypto.subtle.digest("SHA-256", segment);
  return `${kind} ${Buffer.from(digest).toString("base64")}`;
}
