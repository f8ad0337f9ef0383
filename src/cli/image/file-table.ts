import { setFlagsFromString } from "node:v8";
import { Failure } from "../../core/errors.ts";

/** Bytes for one image, or two that are compared: about 1.2 million files with names of 20 characters. */
const room = 72 * 1024 * 1024;

const longestPath = 4096;

/** Bytes of columns. */
const [nodeCost, folderNodeCost] = [22, 8];
const namesRoom = room + 4 * longestPath;
/** Each may end up to 8 bytes before the next. */
const mostColumns = 32;
/** A power of two. A file is found by its folder and its name. */
const buckets = 1 << 20;

export class TooManyFiles extends Error {
  of(layer: string): Failure {
    return new Failure(
      { code: "image-invalid", culprit: layer },
      `Layer ${layer} has too many files: ${this.message}.`,
      "Use an image with fewer files, or pack them into archives.",
      { cause: this },
    );
  }
}

type Column = Int32Array | Uint32Array | Uint16Array | Uint8Array | Float64Array;

/**
 * A node is a number, and its fields are in columns: an object per file would take ten times the memory. Columns have
 * room for the most nodes; the system gives only the pages that are used. They lie in one block: malloc gives freed
 * blocks below 32 MiB to the next table with all their pages.
 */
export class FileTable {
  readonly #cost: number;
  readonly #folderCost: number;
  readonly #capacity: number;
  readonly #memory: ArrayBuffer;
  #given = 0;
  readonly #names: Buffer;
  readonly #parent: Int32Array;
  readonly #nameAt: Uint32Array;
  readonly #nameLength: Uint16Array;
  readonly #next: Int32Array;
  readonly #chain: Int32Array;
  /** Its place in the columns of folders, from 1. 0: it is no folder. */
  readonly #folder: Int32Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #buckets: Int32Array;
  /** Nobody who makes an image can choose names that are all in one bucket. */
  readonly #seed = Math.floor(Math.random() * 2 ** 31);
  #used = 0;
  #end = 0;
  /** 0 stands for none. */
  #nodes = 1;
  #folders = 1;

  /** `cost` and `folderCost` are the bytes of a user's columns for each node and folder. */
  constructor(cost: number, folderCost = 0) {
    // Bytes read of a layer are garbage at once. V8 would let 100 MB of them gather.
    setFlagsFromString("--semi-space-growth-factor=1");
    this.#cost = nodeCost + cost;
    this.#folderCost = folderNodeCost + folderCost;
    this.#capacity = Math.ceil(room / this.#cost);
    const columns = this.#capacity * (this.#cost + this.#folderCost) + buckets * 4 + namesRoom;
    this.#memory = new ArrayBuffer(columns + mostColumns * 8);
    const names = this.column(Uint8Array, namesRoom);
    this.#names = Buffer.from(this.#memory, names.byteOffset, names.length);
    this.#parent = this.column(Int32Array);
    this.#nameAt = this.column(Uint32Array);
    this.#nameLength = this.column(Uint16Array);
    this.#next = this.column(Int32Array);
    this.#chain = this.column(Int32Array);
    this.#folder = this.column(Int32Array);
    this.#first = this.column(Int32Array);
    this.#last = this.column(Int32Array);
    this.#buckets = this.column(Int32Array, buckets);
  }

  column<Kind extends Column>(
    kind: new (memory: ArrayBuffer, at: number, length: number) => Kind,
    length = this.#capacity,
  ): Kind {
    const column = new kind(this.#memory, this.#given, length);
    this.#given = Math.ceil((this.#given + column.byteLength) / 8) * 8;
    return column;
  }

  /** Frees the memory at once. The table cannot be used after it. */
  close(): void {
    this.#memory.transfer(0);
  }

  root(): number {
    const node = this.#add(0, 0);
    this.#makeFolder(node);
    return node;
  }

  folder(parent: number, name: string): number {
    return this.#put(parent, name, true);
  }

  file(parent: number, name: string): number {
    return this.#put(parent, name, false);
  }

  /** 0: the folder has no such name. */
  find(parent: number, name: string): number {
    if (name.length > longestPath) return 0;
    return this.#lookup(parent, this.#names.write(name, this.#end));
  }

  isFolder(node: number): boolean {
    return this.folderOf(node) !== 0;
  }

  /** From 1. 0: it is no folder. */
  folderOf(node: number): number {
    return this.#folder[node] as number;
  }

  name(node: number): string {
    const at = this.#nameAt[node] as number;
    return this.#names.toString("utf8", at, at + (this.#nameLength[node] as number));
  }

  /** In the order in which they came. The one that was given last may be removed. */
  *children(parent: number): Generator<number> {
    const folder = this.folderOf(parent);
    let before = 0;
    for (let node = this.#first[folder] as number; node !== 0; ) {
      if (this.#parent[node] === parent) {
        yield node;
        before = node;
      } else this.#unlink(folder, before, node);
      node = this.#next[node] as number;
    }
  }

  remove(node: number): void {
    const at = this.#nameAt[node] as number;
    const bucket = this.#bucket(this.#parent[node] as number, at, this.#nameLength[node] as number);
    const after = this.#chain[node] as number;
    let each = this.#buckets[bucket] as number;
    if (each === node) this.#buckets[bucket] = after;
    else {
      while (this.#chain[each] !== node) each = this.#chain[each] as number;
      this.#chain[each] = after;
    }
    this.#parent[node] = -1;
  }

  /** @returns its place for {@link text} */
  keep(text: string): number {
    const at = this.#end;
    const end = at + this.#names.write(`${text.replace(/\0.*$/s, "")}\0`, at);
    this.#take(end - at + 16);
    this.#end = end;
    return at;
  }

  text(at: number): string {
    return this.#names.toString("utf8", at, this.#names.indexOf(0, at));
  }

  #put(parent: number, name: string, isFolder: boolean): number {
    const length = this.#names.write(name, this.#end);
    const found = this.#lookup(parent, length);
    if (found !== 0 && this.isFolder(found) === isFolder) return found;
    if (found !== 0) this.remove(found);
    const bucket = this.#bucket(parent, this.#end, length);
    const node = this.#add(parent, length);
    this.#chain[node] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = node;
    const folder = this.folderOf(parent);
    const last = this.#last[folder] as number;
    if (last === 0) this.#first[folder] = node;
    else this.#next[last] = node;
    this.#last[folder] = node;
    if (isFolder) this.#makeFolder(node);
    return node;
  }

  /** Its name is at the end of the names. */
  #add(parent: number, length: number): number {
    this.#take(this.#cost + length);
    const node = this.#nodes++;
    this.#parent[node] = parent;
    this.#nameAt[node] = this.#end;
    this.#nameLength[node] = length;
    this.#end += length;
    return node;
  }

  #makeFolder(node: number): void {
    this.#take(this.#folderCost);
    this.#folder[node] = this.#folders++;
  }

  #unlink(folder: number, before: number, node: number): void {
    const after = this.#next[node] as number;
    if (before === 0) this.#first[folder] = after;
    else this.#next[before] = after;
    if (after === 0) this.#last[folder] = before;
  }

  #lookup(parent: number, length: number): number {
    const wanted = this.#end;
    let node = this.#buckets[this.#bucket(parent, wanted, length)] as number;
    for (; node !== 0; node = this.#chain[node] as number) {
      if (this.#parent[node] === parent && this.#nameLength[node] === length) {
        const at = this.#nameAt[node] as number;
        let same = 0;
        while (same < length && this.#names[at + same] === this.#names[wanted + same]) same++;
        if (same === length) return node;
      }
    }
    return 0;
  }

  /** FNV-1a. */
  #bucket(parent: number, at: number, length: number): number {
    let hash = Math.imul(this.#seed ^ parent, 0x9e3779b1);
    for (let index = at; index < at + length; index++) {
      hash = Math.imul(hash ^ (this.#names[index] as number), 0x01000193);
    }
    return (hash ^ (hash >>> 15)) & (buckets - 1);
  }

  #take(bytes: number): void {
    this.#used += bytes;
    if (this.#used <= room) return;
    const read = `after ${this.#nodes - 1} files and folders of the image`;
    throw new TooManyFiles(`${read}, their names take more than ${room / 1024 / 1024} MiB of memory`);
  }
}

/** @throws Error for a path that no engine can unpack: one of thousands of folders would also exhaust the stack */
export function checkPath(path: string): void {
  if (Buffer.byteLength(path) <= longestPath) return;
  throw new Error(`the path ${path.slice(0, 40)}… has more than ${longestPath} bytes`);
}
