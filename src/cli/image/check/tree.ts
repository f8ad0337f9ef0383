import type { ListedEntry } from "../../../layer/read.ts";
import { FileTable } from "../file-table.ts";

/** `layer` counts from 0, the lowest. */
export interface Node {
  readonly type: "file" | "device" | "directory";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly layer: number;
  /** Also for hard links: the place among the entries of the layer. */
  readonly entry: number;
}

export interface Found {
  /** Absolute, without links. */
  readonly path: string;
  readonly node: Node;
  readonly above: readonly Node[];
}

export interface Missing {
  /** To put after "the image": where the path ends, and which link led there. */
  readonly missing: string;
}

const mostLinks = 40;

type Owned = Pick<Node, "mode" | "uid" | "gid" | "layer">;

const types = ["file", "device", "directory", "symlink"] as const;
const symlink = types.indexOf("symlink");
const directory = types.indexOf("directory");

/** Applies layers and whiteouts by OCI's rules. Keeps names, owners and modes, but no content. */
export class ImageTree {
  readonly #files = new FileTable(17);
  readonly #type = this.#files.column(Uint8Array);
  readonly #mode = this.#files.column(Uint16Array);
  readonly #uid = this.#files.column(Uint32Array);
  readonly #gid = this.#files.column(Uint32Array);
  readonly #layer = this.#files.column(Uint16Array);
  /** For a symbolic link: the place of its target's text. */
  readonly #entry = this.#files.column(Uint32Array);
  readonly #root = this.#files.root();

  constructor() {
    this.#own(this.#root, { mode: 0o755, uid: 0, gid: 0, layer: 0 });
  }

  /** Apply layers from the lowest up. @returns the target of a broken hard link */
  add(entry: ListedEntry, layer: number, index: number): string | undefined {
    const { path, type, target } = entry;
    const slash = path.lastIndexOf("/");
    const [parent, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
    if (name === ".wh..wh..opq") this.#prune(this.#node(parent), layer);
    else if (name.startsWith(".wh.")) {
      const hidden = this.#child(this.#node(parent), name.slice(4));
      if (hidden && this.#isHidden(hidden, layer)) this.#files.remove(hidden);
    } else if (type === "directory") {
      // A folder that is there gets the owner and mode of the upper layer and keeps its content.
      const node = path === "" ? this.#root : this.#files.folder(this.#folderAt(parent, layer), name);
      this.#own(node, { ...entry, layer });
    } else {
      const above = this.#folderAt(parent, layer);
      const linked = type === "hardlink" ? this.#node(target) : 0;
      if (type === "hardlink" && (linked === 0 || this.#files.isFolder(linked))) return target;
      const node = this.#files.file(above, name);
      if (linked === node) return undefined;
      if (type === "hardlink") {
        for (const column of [this.#type, this.#mode, this.#uid, this.#gid, this.#layer, this.#entry]) {
          column[node] = column[linked] as number;
        }
        return undefined;
      }
      this.#own(node, { ...entry, layer });
      this.#type[node] = types.indexOf(type);
      this.#entry[node] = type === "symlink" ? this.#files.keep(target) : index;
    }
    return undefined;
  }

  find(path: string, folder = "/"): Found | Missing {
    const found = this.#follow(path.startsWith("/") ? path : `${folder}/${path}`);
    if ("missing" in found) return found;
    const { nodes, names } = found;
    const [node, ...above] = nodes.map((each) => this.#view(each)).reverse();
    return { path: `/${names.join("/")}`, node: node as Node, above: above.reverse() };
  }

  /** The nodes begin with the root, and the names are the path without links. */
  #follow(path: string): { nodes: number[]; names: string[] } | Missing {
    const rest = path.split("/").reverse();
    let nodes = [this.#root];
    let names: string[] = [];
    let links = 0;
    let via = "";
    while (rest.length > 0) {
      const name = rest.pop() as string;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (nodes.length > 1) nodes.pop();
        names.pop();
        continue;
      }
      const here = () => `/${[...names, name].join("/")}`;
      const node = nodes.at(-1) as number;
      if (!this.#files.isFolder(node)) return { missing: `has no ${here()}: /${names.join("/")} is no folder${via}` };
      const child = this.#files.find(node, name);
      if (child === 0) return { missing: `has no ${here()}${via}` };
      if (this.#type[child] === symlink) {
        if (++links > mostLinks) return { missing: `has links at ${here()} that lead in a circle` };
        via = `, to which ${here()} is a link`;
        const target = this.#files.text(this.#entry[child] as number);
        rest.push(...target.split("/").reverse());
        if (target.startsWith("/")) [nodes, names] = [[this.#root], []];
        continue;
      }
      nodes.push(child);
      names.push(name);
    }
    return { nodes, names };
  }

  list(path: string): string[] {
    const found = this.#follow(path);
    const node = "nodes" in found ? found.nodes.at(-1) : undefined;
    return node === undefined ? [] : [...this.#files.children(node)].map((child) => this.#files.name(child)).sort();
  }

  search(name: string): string | undefined {
    const wanted = name.split("/").at(-1) as string;
    let first: string | undefined;
    const visit = (folder: number, path: string) => {
      const here = this.#child(folder, wanted);
      const each = `${path}/${wanted}`;
      if (here && !this.#files.isFolder(here) && each.endsWith(`/${name}`)) {
        if (first === undefined || each < first) first = each;
      }
      for (const child of this.#files.children(folder)) {
        if (this.#files.isFolder(child)) visit(child, `${path}/${this.#files.name(child)}`);
      }
    };
    visit(this.#root, "");
    return first;
  }

  #view(node: number): Node {
    return {
      type: types[this.#type[node] as number] as Node["type"],
      mode: this.#mode[node] as number,
      uid: this.#uid[node] as number,
      gid: this.#gid[node] as number,
      layer: this.#layer[node] as number,
      entry: this.#entry[node] as number,
    };
  }

  #own(node: number, { mode, uid, gid, layer }: Owned): void {
    if (this.#files.isFolder(node)) this.#type[node] = directory;
    this.#mode[node] = mode;
    this.#uid[node] = Math.min(uid, 2 ** 32 - 1);
    this.#gid[node] = Math.min(gid, 2 ** 32 - 1);
    this.#layer[node] = layer;
  }

  /** 0: there is none. Links are not followed. */
  #node(path: string): number {
    let node = this.#root;
    for (const name of path.split("/")) if (name !== "" && name !== ".") node = this.#child(node, name);
    return node;
  }

  #child(folder: number, name: string): number {
    return this.#files.isFolder(folder) ? this.#files.find(folder, name) : 0;
  }

  /** Created if missing. A link from the same layer is followed; one from a lower layer is replaced. */
  #folderAt(path: string, layer: number): number {
    let node = this.#root;
    let end = 0;
    for (const name of path.split("/")) {
      end += name.length + 1;
      if (name === "") continue;
      const child = this.#files.find(node, name);
      if (child !== 0 && this.#type[child] === symlink && this.#layer[child] === layer) {
        const found = this.#follow(path.slice(0, end - 1));
        const last = "nodes" in found ? (found.nodes.at(-1) as number) : 0;
        if (this.#files.isFolder(last)) {
          node = last;
          continue;
        }
      }
      const isThere = child !== 0 && this.#files.isFolder(child);
      node = isThere ? child : this.#files.folder(node, name);
      if (!isThere) this.#own(node, { mode: 0o755, uid: 0, gid: 0, layer });
    }
    return node;
  }

  #prune(folder: number, layer: number): void {
    for (const node of this.#files.children(folder)) if (this.#isHidden(node, layer)) this.#files.remove(node);
  }

  #isHidden(node: number, layer: number): boolean {
    const isOld = (this.#layer[node] as number) < layer;
    if (!this.#files.isFolder(node)) return isOld;
    this.#prune(node, layer);
    return isOld && this.#files.children(node).next().done === true;
  }
}
