import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

/** A compressed segment in a layer. */
export interface StoredSegment {
  /** What was compressed, and how: {@link segmentKey}. */
  readonly key: string;
  /** Of its first byte in the layer. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly crc: number;
}

interface StoredLayer {
  readonly fd: number;
  readonly segments: readonly StoredSegment[];
}

interface Place {
  readonly layer: StoredLayer;
  readonly segment: StoredSegment;
}

const defaultLimit = 128;

/**
 * The compressed segments of the layers that this process wrote. They stay where they are: a layer is kept open, so that its segments can
 * be read even when Bazel has removed it to have it made anew, and nothing is stored twice. What is kept ends with the process.
 *
 * A segment is found by the digest of its content, never by what a file is called or when it changed, and its bytes are checked when they
 * are read; so a layer is the same with and without this.
 */
export class SegmentCache {
  readonly #limit: number;
  /** By path, the one that was written longest ago first. */
  readonly #layers = new Map<string, StoredLayer>();
  readonly #places = new Map<string, Place>();

  /** @param limit how many layers are kept; each is an open file */
  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** The compressed segment, or undefined when it is not there, or not what it was. */
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

  /** Takes the segments of a layer that is complete, in place of those of the layer that was there before. */
  keep(path: string, segments: readonly StoredSegment[]): void {
    if (segments.length === 0) return;
    let fd: number;
    try {
      fd = openSync(path, "r");
    } catch {
      // Too many open files, for example. The layer is made, and that is what counts.
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

  /** Forgets everything. */
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

/** What a segment is found by. @param kind how it is compressed */
export async function segmentKey(kind: string, segment: Uint8Array<ArrayBuffer>): Promise<string> {
  // On another thread, since the one that calls is busy with the digest of the whole layer.
  const digest = await crypto.subtle.digest("SHA-256", segment);
  return `${kind} ${Buffer.from(digest).toString("base64")}`;
}
