import { Failure } from "../../../core/errors.ts";
import { decompressLayer } from "../../../layer/decompress.ts";
import { listTar } from "../../../layer/read.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { checkPath, FileTable, TooManyFiles } from "../file-table.ts";

export interface LayerUsage {
  readonly descriptor: Descriptor;
  readonly comment: string;
  readonly root: FolderUsage;
}

export function isFolder(node: FileUsage): node is FolderUsage {
  return node instanceof FolderUsage;
}

/** Holds one image, or two. */
export class UsageTable extends FileTable {
  readonly size: Float64Array;
  readonly isHidden: Uint8Array;
  readonly hidden: Float64Array;
  readonly files: Uint32Array;

  constructor() {
    super(9, 12);
    this.size = this.column(Float64Array);
    this.isHidden = this.column(Uint8Array);
    this.hidden = this.column(Float64Array);
    this.files = this.column(Uint32Array);
  }

  view(node: number): FileUsage {
    return this.isFolder(node) ? new FolderUsage(this, node) : new FileUsage(this, node);
  }
}

export class FileUsage {
  protected readonly table: UsageTable;
  readonly node: number;

  constructor(table: UsageTable, node: number) {
    this.table = table;
    this.node = node;
  }

  get name(): string {
    return this.table.name(this.node);
  }
  get size(): number {
    return this.table.size[this.node] as number;
  }
  /** A hidden file's bytes are still transferred and stored. */
  get isHidden(): boolean {
    return this.table.isHidden[this.node] === 1;
  }
}

export class FolderUsage extends FileUsage {
  get #folder(): number {
    return this.table.folderOf(this.node);
  }
  get hidden(): number {
    return this.table.hidden[this.#folder] as number;
  }
  get files(): number {
    return this.table.files[this.#folder] as number;
  }
  get children(): Iterable<FileUsage> {
    return this.#children();
  }
  child(name: string): FileUsage | undefined {
    const node = this.table.find(this.node, name);
    return node === 0 ? undefined : this.table.view(node);
  }
  *#children(): Generator<FileUsage> {
    for (const node of this.table.children(this.node)) yield this.table.view(node);
  }
}

/** OCI image specification, "Whiteouts". */
const whiteout = ".wh.";
const opaqueWhiteout = ".wh..wh..opq";

/** `table` is shared by the layers of an image. */
export async function readLayer(
  layer: { readonly descriptor: Descriptor; readonly comment: string },
  open: () => AsyncIterable<Uint8Array>,
  table = new UsageTable(),
): Promise<TableLayer> {
  const removed: number[] = [];
  const emptied: number[] = [];
  try {
    const root = table.root();
    for await (const { path, type, size } of listTar(decompressLayer(open()))) {
      checkPath(path);
      const slash = path.lastIndexOf("/");
      const [parent, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
      if (name === opaqueWhiteout) emptied.push(table.keep(parent));
      else if (name.startsWith(whiteout)) removed.push(table.keep(join(parent, name.slice(whiteout.length))));
      else if (type === "directory") folderAt(table, root, path);
      else table.size[table.file(folderAt(table, root, parent), name)] = size;
    }
    sum(table, root);
    return { ...layer, table, root: new FolderUsage(table, root), removed, emptied };
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
}

export interface TableLayer extends LayerUsage {
  readonly table: UsageTable;
  /** Paths in the layers below, as texts of the table. */
  readonly removed: readonly number[];
  readonly emptied: readonly number[];
}

export function markHidden(layers: readonly TableLayer[]): void {
  for (const [index, { root: lower, table }] of layers.entries()) {
    for (const { root, removed, emptied } of layers.slice(index + 1)) {
      replace(table, lower.node, root.node);
      for (const path of removed) hide(table, nodeAt(table, lower.node, table.text(path)));
      for (const path of emptied) hideContent(table, nodeAt(table, lower.node, table.text(path)));
    }
    sum(table, lower.node);
  }
}

/** Merges folders of the same name; everything else replaces what was there. */
function replace(table: UsageTable, lower: number, upper: number): void {
  for (const over of table.children(upper)) {
    const under = table.find(lower, table.name(over));
    if (under === 0) continue;
    if (table.isFolder(under) && table.isFolder(over)) replace(table, under, over);
    else hide(table, under);
  }
}

function hide(table: UsageTable, node: number): void {
  if (table.isFolder(node)) hideContent(table, node);
  else table.isHidden[node] = 1;
}

function hideContent(table: UsageTable, folder: number): void {
  for (const child of table.children(folder)) hide(table, child);
}

/** 0: there is none. */
function nodeAt(table: UsageTable, root: number, path: string): number {
  let node = root;
  for (const part of path.split("/")) if (part !== "" && node !== 0) node = table.find(node, part);
  return node;
}

function sum(table: UsageTable, node: number): void {
  const { size, isHidden, hidden, files } = table;
  let [all, covered, count] = [0, 0, 0];
  for (const child of table.children(node)) {
    const folder = table.folderOf(child);
    if (folder !== 0) sum(table, child);
    const bytes = size[child] as number;
    all += bytes;
    covered += folder !== 0 ? (hidden[folder] as number) : isHidden[child] === 1 ? bytes : 0;
    count += folder !== 0 ? (files[folder] as number) : 1;
  }
  const own = table.folderOf(node);
  size[node] = all;
  hidden[own] = covered;
  files[own] = count;
}

/** Created with its parents if missing. Replaces a file in its place, as unpacking does. */
function folderAt(table: UsageTable, root: number, path: string): number {
  let node = root;
  for (const name of path.split("/")) if (name !== "") node = table.folder(node, name);
  return node;
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
