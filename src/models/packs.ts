import { createHash } from "node:crypto";
import type { ModelFile } from "./model.ts";
import { comparePaths } from "./paths.ts";

/** Bytes of the largest file that goes into a pack. */
export const smallFile = 64 * 1024;
/** Small files that are not packed: so many requests are no trouble, and the model is what other tools for artifacts understand. */
export const unpackedFiles = 200;
/** Bytes of a pack, about. */
const packSize = 1024 * 1024;
/** Files of a pack, about. */
const packFiles = 64;

interface Division<File extends ModelFile> {
  readonly singles: readonly File[];
  readonly packs: readonly (readonly File[])[];
}

/**
 * Decides which files go into packs. Neighbours go together, and where a pack ends depends on paths alone, except for the largest: so a file that
 * changes, comes or goes changes its own pack, and not those behind it.
 */
export function divide<File extends ModelFile>(files: readonly File[]): Division<File> {
  const small = files.filter(({ size }) => size <= smallFile);
  if (small.length <= unpackedFiles) return { singles: files, packs: [] };
  small.sort((one, other) => comparePaths(one.path, other.path));
  const packs: File[][] = [];
  let pack: File[] = [];
  let size = 0;
  for (const file of small) {
    if (pack.length === 0 || size + file.size > packSize || endsBefore(file.path)) {
      pack = [];
      size = 0;
      packs.push(pack);
    }
    pack.push(file);
    size += file.size;
  }
  return { singles: files.filter((file) => file.size > smallFile), packs };
}

/** Whether a pack ends before a file, which chance decides in the same way every time. */
function endsBefore(path: string): boolean {
  return createHash("sha256").update(path).digest().readUInt32BE() % packFiles === 0;
}
