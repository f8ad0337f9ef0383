import { type FileUsage, type FolderUsage, isFolder, type LayerUsage } from "../image/tree/usage.ts";
import type { FileDifference } from "./messages.ts";

/** Files that are named. The others are counted. */
const shownFiles = 500;

/**
 * The files of two images that differ in size or are in one of them, the largest differences first. Files of layers that both have are the same, and
 * hidden ones are not there.
 */
export function differences(
  one: readonly LayerUsage[],
  other: readonly LayerUsage[],
): { readonly files: readonly FileDifference[]; readonly count: number } {
  const [before, after] = [sizesOf(one), sizesOf(other)];
  const files: FileDifference[] = [];
  for (const path of new Set([...before.keys(), ...after.keys()])) {
    const [old, fresh] = [before.get(path), after.get(path)];
    if (old === fresh) continue;
    files.push({
      path,
      ...(old === undefined ? {} : { before: old }),
      ...(fresh === undefined ? {} : { after: fresh }),
    });
  }
  const change = ({ before = 0, after = 0 }: FileDifference) => Math.abs(after - before);
  files.sort((a, b) => change(b) - change(a) || (a.path < b.path ? -1 : 1));
  return { files: files.slice(0, shownFiles), count: files.length };
}

function sizesOf(layers: readonly LayerUsage[]): Map<string, number> {
  const sizes = new Map<string, number>();
  const visit = (node: FileUsage | FolderUsage, path: string): void => {
    if (isFolder(node)) for (const child of node.children.values()) visit(child, `${path}/${child.name}`);
    else if (!node.isHidden) sizes.set(path, node.size);
  };
  for (const { root } of layers) visit(root, "");
  return sizes;
}
