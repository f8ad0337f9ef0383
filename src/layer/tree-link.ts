import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { posix } from "node:path";

/** Undefined if it leads out of the tree. A sandbox stages `path` as an absolute link to `execPath`. */
export function linkInTree(path: string, execPath: string, inTree: string): string | undefined {
  let actual = path;
  let target = linkOf(actual);
  if (target?.startsWith("/") && target.endsWith(`/${execPath}`)) {
    actual = target;
    target = linkOf(actual);
  }
  if (target === undefined || target.startsWith("/") || !actual.endsWith(`/${inTree}`)) return undefined;
  const targetInTree = posix.join(posix.dirname(inTree), target);
  if (targetInTree === ".." || targetInTree.startsWith("../")) return undefined;
  const root = actual.slice(0, -inTree.length);
  // A linked folder becomes a real folder in the image, where `..` leads elsewhere.
  try {
    return realpathSync(root + targetInTree) === realpathSync(actual) ? target : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function linkOf(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined;
}
