import { closeSync, linkSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { Codec } from "./compression.ts";
import { segmentLimit } from "./segments.ts";

export interface StoredSegment {
  /** {@link segmentKey}. */
  readonly key: string;
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
}

interface StoredLayer {
  readonly fd: number;
  readonly segments: readonly StoredSegment[];
}

const defaultLimit = 128;

/** Fewer segments are made in less time than it takes to look them up. */
const fewest = 4;

/**
 * Finds compressed segments in layers that this process has written, and that another one has written to the same path.
 * Keeps layer files open, to read them after Bazel has deleted them.
 *
 * Bazel deletes an action's outputs before it runs the action. For the next process, `.NAME.kept` is a hard link to the
 * layer and `.NAME.segments` lists its segments. Neither is an output, so nobody sees them, and a sandbox drops them.
 * {@link compressOnce} verifies what it finds, so the cache never changes a layer.
 */
export class SegmentCache {
  readonly #limit: number;
  /** The oldest first. */
  readonly #layers = new Map<string, StoredLayer>();
  readonly #places = new Map<string, { readonly layer: StoredLayer; readonly segment: StoredSegment }>();

  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** Undefined if missing or damaged. */
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

  load(path: string): void {
    if (this.#layers.has(path)) return;
    const { link, list } = besides(path);
    try {
      this.#add(path, link, parseList(readFileSync(list, "utf8")));
    } catch {}
  }

  /** Replaces those of an earlier layer at the same path. */
  keep(path: string, segments: readonly StoredSegment[]): void {
    const { link, list } = besides(path);
    try {
      // The list of another layer must not be beside this one.
      rmSync(list, { force: true });
      rmSync(link, { force: true });
      if (segments.length === 0) return;
      this.#add(path, path, segments);
      if (segments.length < fewest) return;
      linkSync(path, link);
      // A part of it is a valid list.
      const lines = segments.map(({ key, offset, size, crc }) => `${offset} ${size} ${crc} ${key}\n`);
      writeFileSync(list, lines.join(""));
    } catch {
      // For example too many open files. The layer itself is complete, so ignore it.
    }
  }

  close(): void {
    for (const path of this.#layers.keys()) this.#drop(path);
  }

  #add(path: string, file: string, segments: readonly StoredSegment[]): void {
    const layer = { fd: openSync(file, "r"), segments };
    for (const segment of segments) this.#places.set(segment.key, { layer, segment });
    this.#drop(path);
    this.#layers.set(path, layer);
    for (const oldest of this.#layers.keys()) {
      if (this.#layers.size <= this.#limit) break;
      this.#drop(oldest);
    }
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

/** Leaves out what is damaged. */
function parseList(text: string): StoredSegment[] {
  return Array.from(text.matchAll(/^(\d{1,15}) (\d{1,7}) (\d{1,10}) (.+)$/gm), ([, offset, size, crc, key = ""]) => {
    return { key, offset: Number(offset), size: Number(size), crc: Number(crc) };
  }).filter(({ size }) => size <= segmentLimit);
}

function besides(path: string): { readonly link: string; readonly list: string } {
  const start = join(dirname(path), `.${basename(path)}`);
  return { link: `${start}.kept`, list: `${start}.segments` };
}

export interface Compressed {
  readonly bytes: Uint8Array;
  /** Undefined for a segment that need not be kept. */
  readonly key?: string;
}

/** Used only if it gives back the content, so a short key is enough: unpacking takes a third of the time of SHA-256. */
export async function compressOnce(
  codec: Codec,
  cache: SegmentCache | undefined,
  content: Uint8Array,
): Promise<Compressed> {
  const isStored = await codec.stores(content);
  if (!cache || isStored) return { bytes: await codec.compress(content, isStored) };
  const key = segmentKey(codec, content);
  const found = cache.find(key);
  if (found && (await gives(codec, found, content))) return { bytes: found, key };
  return { bytes: await codec.compress(content, isStored), key };
}

/** Others may have the same key. */
export function segmentKey(codec: Pick<Codec, "name">, content: Uint8Array): string {
  return `${codec.name} ${content.length} ${crc32(content)}`;
}

async function gives(codec: Codec, bytes: Uint8Array, content: Uint8Array): Promise<boolean> {
  try {
    return Buffer.compare(await codec.decompress(bytes, content.length), content) === 0;
  } catch {
    return false;
  }
}
