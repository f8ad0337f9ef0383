import { crc32 } from "node:zlib";

/**
 * Where a layer's tar is cut into segments, each compressed by itself. The cuts depend on the entries alone, never on timing, cores or how
 * much a read returned, so the digest does not either; and an entry that changes moves the cuts near it only, so that its
 * neighbours' compressed segments stay what they were.
 *
 * An entry from 256 KiB on has segments of its own, of 1 MiB but for its last. Smaller ones share: a segment that has 128 KiB ends before
 * the next entry whose path says so, one path in eight, and before the one that would make it larger than 1 MiB.
 */
export const segmentLimit = 1 << 20;
const ownSegment = 256 << 10;
const sharedSegment = 128 << 10;

/** Whether an entry has segments of its own. @param size bytes of its headers, content and padding */
export function standsAlone(size: number): boolean {
  return size >= ownSegment;
}

/** Whether a segment of `used` bytes ends before an entry of `size` bytes. */
export function endsBefore(path: string, size: number, used: number): boolean {
  if (used === 0) return false;
  if (standsAlone(size) || used + size > segmentLimit) return true;
  return used >= sharedSegment && crc32(path) % 8 === 0;
}
