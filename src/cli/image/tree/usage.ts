import { Failure } from "../../../core/errors.ts";
import { decompressLayer } from "../../../layer/decompress.ts";
import { listTar } from "../../../layer/read.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { NodeBudget, TooManyFiles } from "../node-budget.ts";

/** A file of a layer. */
export interface FileUsage {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Whether a later layer replaces or removes it. Its bytes are still transferred and stored. */
  isHidden: boolean;
}

export interface FolderUsage {
  readonly name: string;
  /** Bytes of all files below. */
  size: number;
  /** The hidden part of these bytes. */
  hidden: number;
  /** Number of files at any depth. */
  files: number;
  readonly children: Map<string, FileUsage | FolderUsage>;
}

/** The content of a layer. */
export interface LayerUsage {
  readonly descriptor: Descriptor;
  /** Its history entry. Empty: none. */
  readonly comment: string;
  readonly root: FolderUsage;
  /** Paths of files and folders that it removes from the layers below. */
  readonly removed: readonly string[];
  /** Paths of folders whose former content it removes. */
  readonly emptied: readonly string[];
}

export function isFolder(node: FileUsage | FolderUsage): node is FolderUsage {
  return "children" in node;
}

/** Names that remove files of lower layers: OCI image specification, "Whiteouts". */
const whiteout = ".wh.";
const opaqueWhiteout = ".wh..wh..opq";

/**
 * Reads the names and sizes of the files in a layer.
 *
 * @param open streams the blob
 * @param budget shared by the layers of an image
 * @throws Failure if the blob is not a layer
 */
export async function readLayer(
  layer: { readonly descriptor: Descriptor; readonly comment: string },
  open: () => AsyncIterable<Uint8Array>,
  budget = new NodeBudget(),
): Promise<LayerUsage> {
  const root = folder("");
  const removed: string[] = [];
  const emptied: string[] = [];
  try {
    for await (const { path, type, size } of listTar(decompressLayer(open()))) {
      checkPath(path);
      budget.entry(path);
      const slash = path.lastIndexOf("/");
      const [parent, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
      if (name === opaqueWhiteout) emptied.push(parent);
      else if (name.startsWith(whiteout)) removed.push(join(parent, name.slice(whiteout.length)));
      else if (type === "directory") folderAt(root, path, budget);
      else folderAt(root, parent, budget).children.set(name, { name, size, isHidden: false });
    }
  } catch (cause) {
    if (cause instanceof TooManyFiles) throw cause.of(layer.descriptor.digest);
    if (cause instanceof Error && "exitStatus" in cause) throw cause;
    throw new Failure(
      { code: "image-invalid", culprit: layer.descriptor.digest },
      `Layer ${layer.descriptor.digest} cannot be read: ${(cause as Error).message}.`,
      "Make the image again: no engine can unpack this one.",
      { cause },
    );
  }
  sum(root);
  return { ...layer, root, removed, emptied };
}

/** Marks files that later layers replace or remove. */
export function markHidden(layers: readonly LayerUsage[]): void {
  for (const [index, lower] of layers.entries()) {
    for (const { root, removed, emptied } of layers.slice(index + 1)) {
      replace(lower.root, root);
      for (const path of removed) hideAt(lower.root, path, (node) => hide(node));
      for (const path of emptied) hideAt(lower.root, path, (node) => isFolder(node) && hideContent(node));
    }
    sum(lower.root);
  }
}

/** Merges folders of the same name; everything else replaces what was there. */
function replace(lower: FolderUsage, upper: FolderUsage): void {
  for (const [name, over] of upper.children) {
    const under = lower.children.get(name);
    if (!under) continue;
    if (isFolder(under) && isFolder(over)) replace(under, over);
    else hide(under);
  }
}

function hide(node: FileUsage | FolderUsage): void {
  if (isFolder(node)) hideContent(node);
  else node.isHidden = true;
}

function hideContent(node: FolderUsage): void {
  for (const child of node.children.values()) hide(child);
}

function hideAt(root: FolderUsage, path: string, action: (node: FileUsage | FolderUsage) => void): void {
  let node: FileUsage | FolderUsage | undefined = root;
  for (const name of path.split("/").filter((part) => part !== "")) {
    node = node && isFolder(node) ? node.children.get(name) : undefined;
  }
  if (node) action(node);
}

function sum(node: FolderUsage): void {
  node.size = 0;
  node.hidden = 0;
  node.files = 0;
  for (const child of node.children.values()) {
    if (isFolder(child)) sum(child);
    node.size += child.size;
    node.hidden += isFolder(child) ? child.hidden : child.isHidden ? child.size : 0;
    node.files += isFolder(child) ? child.files : 1;
  }
}

function folder(name: string): FolderUsage {
  return { name, size: 0, hidden: 0, files: 0, children: new Map() };
}

/** The folder of a path, created with its parents if missing. Replaces a file in its place, as unpacking does. */
function folderAt(root: FolderUsage, path: string, budget: NodeBudget): FolderUsage {
  let node = root;
  for (const name of path.split("/")) {
    if (name === "") continue;
    const found = node.children.get(name);
    const next = found && isFolder(found) ? found : folder(name);
    if (next !== found) {
      budget.folder();
      node.children.set(name, next);
    }
    node = next;
  }
  return node;
}

/** The longest path on Linux (PATH_MAX), in bytes. */
const longestPath = 4096;

/** @throws Error for a path that no engine can unpack: one of thousands of folders would also exhaust the stack */
export function checkPath(path: string): void {
  if (Buffer.byteLength(path) <= longestPath) return;
  throw new Error(`the path ${path.slice(0, 40)}… has more than ${longestPath} bytes`);
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
