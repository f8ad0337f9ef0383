import { createHash } from "node:crypto";
import type { ModelFile } from "./model.ts";
import { comparePaths } from "./paths.ts";

/** Bytes of the largest file that goes into a pack. */
export const smallFile = 64 * 1024;
/** Up to so many small files are not packed, and other tools for artifacts understand the model. */
export const unpackedFiles = 200;
/** Bytes, about. */
const packSize = 1024 * 1024;
/** Files, about. */
const packFiles = 64;

interface Division<File extends ModelFile> {
  readonly singles: readonly File[];
  readonly packs: readonly (readonly File[])[];
}

/** A pack's end depends on paths alone, except for the largest, so a changed file changes only its own pack. */
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

/** Chance decides, the same way every time. */
function endsBefore(path: string): boolean {
  return createHash("sha256").update(path).digest().readUInt32BE() % packFiles === 0;
}
