import { crc32 } from "node:zlib";

/**
 * Cuts a tar into segments that are compressed separately. The cuts depend only on the entries, so the digest is
 * deterministic, and a changed entry moves only the cuts near it.
 *
 * An entry of at least 512 KiB has its own segments of 1 MiB. Smaller ones share: after 512 KiB, a segment ends before
 * the next entry with a certain hash of its path (one in eight), and always before 1 MiB. Compared with one stream,
 * program text gets 1.5 % larger with gzip and 7 % with zstd; with segments of half the size 2 % and 9 %.
 */
export const segmentLimit = 1 << 20;
const enough = 512 << 10;

/** `size` includes headers and padding. */
export function standsAlone(size: number): boolean {
  return size >= enough;
}

export function endsBefore(path: string, size: number, used: number): boolean {
  if (used === 0) return false;
  if (standsAlone(size) || used + size > segmentLimit) return true;
  return used >= enough && crc32(path) % 8 === 0;
}
