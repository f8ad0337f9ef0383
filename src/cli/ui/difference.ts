import { type FileUsage, type FolderUsage, isFolder, type LayerUsage } from "../image/tree/usage.ts";
import type { FileDifference } from "./messages.ts";

/** Others are only counted. */
const shownFiles = 500;

/** Largest first. Skips layers that both have, and hidden files. */
export function differences(
  one: readonly LayerUsage[],
  other: readonly LayerUsage[],
): { readonly files: readonly FileDifference[]; readonly count: number } {
  const largest = new Largest();
  compare(
    one.map(({ root }) => root),
    other.map(({ root }) => root),
    "",
    (difference) => largest.add(difference),
  );
  return { files: largest.files(), count: largest.count };
}

/** Compares parts in layers: all names at once would take too much memory. */
function compare(
  one: readonly FolderUsage[],
  other: readonly FolderUsage[],
  path: string,
  found: (difference: FileDifference) => void,
): void {
  const parts = [...one, ...other];
  for (const [index, part] of parts.entries()) {
    for (const { name } of part.children) {
      if (parts.slice(0, index).some((earlier) => earlier.child(name))) continue;
      const here = `${path}/${name}`;
      const [before, after] = [sizeOf(one, name), sizeOf(other, name)];
      if (before !== after) {
        found({
          path: here,
          ...(before === undefined ? {} : { before }),
          ...(after === undefined ? {} : { after }),
        });
      }
      const [left, right] = [foldersOf(one, name), foldersOf(other, name)];
      if (left.length + right.length > 0) compare(left, right, here, found);
    }
  }
}

function nodesOf(parts: readonly FolderUsage[], name: string): FileUsage[] {
  return parts.flatMap((part) => part.child(name) ?? []);
}

function foldersOf(parts: readonly FolderUsage[], name: string): FolderUsage[] {
  return nodesOf(parts, name).filter(isFolder);
}

/** Undefined: there is no such file, or a later layer hides it. */
function sizeOf(parts: readonly FolderUsage[], name: string): number | undefined {
  return nodesOf(parts, name).findLast((node) => !isFolder(node) && !node.isHidden)?.size;
}

class Largest {
  count = 0;
  #files: FileDifference[] = [];

  add(difference: FileDifference): void {
    this.count++;
    this.#files.push(difference);
    if (this.#files.length > 4 * shownFiles) this.#files = [...this.files()];
  }

  files(): readonly FileDifference[] {
    const change = ({ before = 0, after = 0 }: FileDifference) => Math.abs(after - before);
    this.#files.sort((a, b) => change(b) - change(a) || (a.path < b.path ? -1 : 1));
    return this.#files.slice(0, shownFiles);
  }
}
