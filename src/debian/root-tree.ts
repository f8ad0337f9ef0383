import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { Failure, UserError } from "../core/errors.ts";

/** Bytes inside an open file. */
export interface Extent {
  readonly file: FileHandle;
  readonly offset: number;
  readonly size: number;
}

interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** The package, or what made it, for errors. */
  readonly origin: string;
}

export type RootNode =
  | (Owned & { readonly type: "file"; readonly content: Extent | Buffer })
  | (Owned & { readonly type: "directory" })
  | (Owned & { readonly type: "symlink"; readonly target: string })
  | (Owned & { readonly type: "hardlink"; readonly target: string });

const GENERATED = { uid: 0, gid: 0, origin: "Slipway" };

/** Top folders that are links to their namesakes below /usr on every Debian since 12. */
const MERGED = ["bin", "lib", "lib32", "lib64", "libx32", "sbin"];

/** Where a path of a package lies on a system with merged /usr: `bin/sh` at `usr/bin/sh`. */
export function mergedPath(path: string): string {
  const slash = path.indexOf("/");
  return slash > 0 && MERGED.includes(path.slice(0, slash)) ? `usr/${path}` : path;
}

/** The files of a root filesystem by path (no leading slash), with /usr merged. */
export class RootTree {
  readonly #nodes = new Map<string, RootNode>();
  /** Folders that something lies in, whether or not they are nodes themselves. */
  readonly #parents = new Set<string>();

  /**
   * Adds what a package contains. A folder that is there already keeps its owner and mode, as dpkg leaves it.
   *
   * @param replaces names of packages whose files this one may take over (Policy Manual 7.6)
   */
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

  /** Removes what a pattern matches. A file that stays as another's hard link stays: the link becomes the file. */
  leaveOut(pattern: RegExp): void {
    for (const [path, node] of [...this.#nodes]) {
      if (node.type !== "hardlink" || pattern.test(path) || !pattern.test(node.target)) continue;
      const file = this.#nodes.get(node.target);
      if (file !== undefined) this.#set(path, file);
    }
    for (const path of [...this.#nodes.keys()]) if (pattern.test(path)) this.#nodes.delete(path);
  }

  /** Makes the links /bin, /sbin, /lib and those of /lib64 and its like that something lies in. */
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

  /** Names of what lies directly in a folder, sorted. */
  list(folder: string): string[] {
    const prefix = `${folder}/`;
    const names = new Set<string>();
    for (const path of this.#nodes.keys()) {
      if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split("/", 1)[0] ?? "");
    }
    return [...names].sort();
  }

  /** Writes a generated file over whatever is there, symlinks included. Mode 0644 and owner 0:0 where not given. */
  write(path: string, content: string | Buffer, options: { mode?: number; uid?: number; gid?: number } = {}): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    this.#set(path, { type: "file", content: bytes, mode: 0o644, ...GENERATED, ...options });
  }

  /** A generated symlink over whatever is there. */
  symlink(path: string, target: string): void {
    this.#set(path, { type: "symlink", target, mode: 0o777, ...GENERATED });
  }

  /** A generated folder, unless there is something. Mode 0755 and owner 0:0 where not given. */
  directory(path: string, options: { mode?: number; uid?: number; gid?: number } = {}): void {
    if (!this.#nodes.has(path)) this.#set(path, { type: "directory", mode: 0o755, ...GENERATED, ...options });
  }

  /** The path that symlinks lead to, or undefined where they lead out of the tree, in circles or nowhere. */
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

  /** Content of the regular file at `path`, through symlinks and hard links; undefined when there is none. At most `limit` bytes. */
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
