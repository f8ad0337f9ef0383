import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Failure, UserError } from "../core/errors.ts";

export interface Extent {
  readonly file: FileHandle;
  readonly offset: number;
  readonly size: number;
}

interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** For errors: the package, or what made it. */
  readonly origin: string;
}

export type RootNode =
  | (Owned & { readonly type: "file"; readonly content: Extent | Buffer })
  | (Owned & { readonly type: "directory" })
  | (Owned & { readonly type: "symlink"; readonly target: string })
  | (Owned & { readonly type: "hardlink"; readonly target: string });

const GENERATED = { uid: 0, gid: 0, origin: "Slipway" };

/** Links to their namesakes below /usr on every Debian since 12. */
const MERGED = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

/** With merged /usr: `bin/sh` lies at `usr/bin/sh`. */
export function mergedPath(path: string): string {
  const slash = path.indexOf("/");
  return slash > 0 && MERGED.includes(path.slice(0, slash)) ? `usr/${path}` : path;
}

/** By path (no leading slash), with /usr merged. */
export class RootTree {
  readonly #nodes = new Map<string, RootNode>();
  readonly #parents = new Set<string>();

  add(path: string, node: RootNode, replaces: ReadonlySet<string> = new Set()): void {
    const place = mergedPath(path);
    if (MERGED.includes(place)) return; // a link of mergeUsr, whether the package has a folder or that link itself
    const other = this.#nodes.get(place);
    if (other !== undefined) {
      if (other.type === "directory" && (node.type === "directory" || node.type === "symlink")) return;
      if (node.type === "directory" && other.type === "symlink") return;
      if (other.type !== "directory" && node.type !== "directory" && replaces.has(other.origin)) {
        this.#set(place, node);
        return;
      }
      if (!same(other, node)) {
        throw new UserError(
          { code: "layer-conflict", culprit: `/${place}` },
          `/${place} is in two packages, ${other.origin} and ${node.origin}, and they differ.`,
          "Exclude one of the two packages from the lock.",
        );
      }
    }
    this.#set(place, node);
  }

  /** A file that stays as another's hard link stays: the link becomes the file. */
  leaveOut(pattern: RegExp): void {
    for (const [path, node] of [...this.#nodes]) {
      if (node.type !== "hardlink" || pattern.test(path) || !pattern.test(node.target)) continue;
      const file = this.#nodes.get(node.target);
      if (file !== undefined) this.#set(path, file);
    }
    for (const path of [...this.#nodes.keys()]) if (pattern.test(path)) this.#nodes.delete(path);
  }

  /** Links /bin, /sbin, /lib, and those of /lib64 and its like that something lies in. */
  mergeUsr(): void {
    for (const name of MERGED) {
      const used = ["bin", "sbin", "lib"].includes(name) || this.list(`usr/${name}`).length > 0;
      if (used) this.symlink(name, `usr/${name}`);
      if (used) this.directory(`usr/${name}`);
    }
  }

  #set(path: string, node: RootNode): void {
    if (path.split("/").includes("..")) {
      throw new UserError(
        { code: "layer-conflict", culprit: path },
        `A package names ${JSON.stringify(path)}, which leads out of the image.`,
        "Do not use this package. Exclude it from the lock.",
      );
    }
    this.#nodes.set(path, node);
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end);
      if (this.#parents.has(parent)) return;
      this.#parents.add(parent);
    }
  }

  has(path: string): boolean {
    return this.#nodes.has(path) || this.#parents.has(path);
  }

  get(path: string): RootNode | undefined {
    return this.#nodes.get(path);
  }

  entries(): IterableIterator<[string, RootNode]> {
    return this.#nodes.entries();
  }

  list(folder: string): string[] {
    const prefix = `${folder}/`;
    const names = new Set<string>();
    for (const path of this.#nodes.keys()) {
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split("/", 1)[0] ?? "");
    }
    return [...names].sort();
  }

  /** Replaces what is there, symlinks included. Default: mode 0644, owner 0:0. */
  write(path: string, content: string | Buffer, options: { mode?: number; uid?: number; gid?: number } = {}): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    this.#set(path, { type: "file", content: bytes, mode: 0o644, ...GENERATED, ...options });
  }

  symlink(path: string, target: string): void {
    this.#set(path, { type: "symlink", target, mode: 0o777, ...GENERATED });
  }

  /** Unless something is there. Default: mode 0755, owner 0:0. */
  directory(path: string, options: { mode?: number; uid?: number; gid?: number } = {}): void {
    if (!this.#nodes.has(path)) this.#set(path, { type: "directory", mode: 0o755, ...GENERATED, ...options });
  }

  /** Undefined if symlinks lead out of the tree, in circles or nowhere. */
  resolve(path: string): string | undefined {
    let pending = path.split("/");
    let place: string[] = [];
    for (let links = 0; pending.length > 0; ) {
      const part = pending.shift() as string;
      if (part === "" || part === ".") continue;
      if (part === "..") {
        place.pop();
        continue;
      }
      const node = this.#nodes.get([...place, part].join("/"));
      if (node?.type === "symlink") {
        if (++links > 40) return undefined;
        if (node.target.startsWith("/")) place = [];
        pending = [...node.target.split("/"), ...pending];
      } else place.push(part);
    }
    const result = place.join("/");
    return this.has(result) ? result : undefined;
  }

  /** Through symlinks and hard links, at most `limit` bytes. Undefined if there is no regular file. */
  read(path: string, limit = Number.POSITIVE_INFINITY): Buffer | undefined {
    const place = this.resolve(path);
    const node = place === undefined ? undefined : this.#nodes.get(place);
    if (node?.type === "hardlink") return this.read(node.target, limit);
    if (node?.type !== "file") return undefined;
    return contentOf(node.content, limit);
  }
}

function contentOf(content: Extent | Buffer, limit = Number.POSITIVE_INFINITY): Buffer {
  if (Buffer.isBuffer(content)) return content.subarray(0, limit);
  const bytes = Buffer.alloc(Math.min(content.size, limit));
  readExtent(content.file, bytes, content.offset);
  return bytes;
}

export function readExtent(file: FileHandle, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(file.fd, target, done, target.length - done, position + done);
    if (count === 0)
      throw new Failure(
        { code: "file-invalid", culprit: "temporary file" },
        "A temporary file became shorter while it was read.",
        "Free some disk space and run again.",
      );
    done += count;
  }
}

function same(a: RootNode, b: RootNode): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  if (a.type === "file") return b.type === "file" && contentOf(a.content).equals(contentOf(b.content));
  if (a.type === "directory") return b.type === "directory";
  return a.type === b.type && a.target === b.target;
}
