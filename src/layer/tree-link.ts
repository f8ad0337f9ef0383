import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { posix } from "node:path";

/**
 * The link that a member of a tree artifact is, if it leads to the same file within the tree of an image.
 *
 * @param path where this process finds the member
 * @param execPath its path in the execution root; a sandbox stages it as an absolute link to that file there
 * @param inTree its path below the tree's root
 * @returns what the link says; undefined for a file, and for a link that leaves the tree
 */
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
  // Folders that are links are folders in the image: from inside of one, `..` leads elsewhere there.
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
