import type { ListedEntry } from "../../../layer/read.ts";
import { NodeBudget } from "../node-budget.ts";

/** Fields of every node in an image. `layer` counts from 0, the lowest. */
interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly layer: number;
}

export interface FolderNode extends Owned {
  readonly type: "directory";
  readonly children: Map<string, Node>;
}

/** A file that is neither folder nor link. `path` is its path in its layer, also for hard links to it. */
interface FileNode extends Owned {
  readonly type: "file" | "device";
  readonly size: number;
  readonly path: string;
}

interface LinkNode extends Owned {
  readonly type: "symlink";
  readonly target: string;
}

export type Node = FolderNode | FileNode | LinkNode;

/** The target of a path. */
export interface Found {
  /** Its absolute path without links. */
  readonly path: string;
  readonly node: FolderNode | FileNode;
  /** Its parent folders, the root first. */
  readonly above: readonly FolderNode[];
}

/** A path that does not exist. */
export interface Missing {
  /** A text to put after "the image": where the path ends, and which link led there. */
  readonly missing: string;
}

/** Maximum number of links in one path, as on Linux. */
const mostLinks = 40;

/**
 * The files of an image as a container sees them, with layers and whiteouts applied by OCI's rules. Keeps names, owners and modes, but no
 * content.
 */
export class ImageTree {
  readonly #budget = new NodeBudget();
  readonly #root: FolderNode = folder({ mode: 0o755, uid: 0, gid: 0, layer: -1 });

  /**
   * Applies an entry of a layer. Apply layers from the lowest up.
   *
   * @returns the target of a broken hard link
   * @throws Error if there are too many
   */
  add(entry: ListedEntry, layer: number): string | undefined {
    const { path, type, mode, uid, gid, size, target } = entry;
    this.#budget.entry(path, target);
    const slash = path.lastIndexOf("/");
    const [parent, name] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
    if (name === ".wh..wh..opq") prune(this.#existing(parent), layer);
    else if (name.startsWith(".wh.")) {
      const above = this.#existing(parent);
      const hidden = above?.children.get(name.slice(4));
      if (above && hidden && isHidden(hidden, layer)) above.children.delete(name.slice(4));
    } else if (type === "directory") this.#addFolder(path, { mode, uid, gid, layer });
    else {
      const above = this.#folderAt(parent, layer);
      const owned = { mode, uid, gid, layer };
      if (type === "symlink") above.children.set(name, { ...owned, type, target });
      else if (type === "hardlink") {
        const linked = this.#node(target);
        if (!linked || linked.type === "directory") return target;
        above.children.set(name, linked);
      } else above.children.set(name, { ...owned, type, size, path });
    }
    return undefined;
  }

  /** Follows a path with its links, from the root or from `folder`. */
  find(path: string, folder = "/"): Found | Missing {
    const start = path.startsWith("/") ? path : `${folder}/${path}`;
    const rest = start.split("/");
    let above: FolderNode[] = [];
    let names: string[] = [];
    let node: FolderNode | FileNode = this.#root;
    let links = 0;
    let via = "";
    while (rest.length > 0) {
      const name = rest.shift() as string;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        node = above.pop() ?? this.#root;
        names.pop();
        continue;
      }
      const here = `/${[...names, name].join("/")}`;
      if (node.type !== "directory") return { missing: `has no ${here}: /${names.join("/")} is no folder${via}` };
      const child: Node | undefined = node.children.get(name);
      if (!child) return { missing: `has no ${here}${via}` };
      if (child.type === "symlink") {
        if (++links > mostLinks) return { missing: `has links at ${here} that lead in a circle` };
        via = `, to which ${here} is a link`;
        rest.unshift(...child.target.split("/"));
        if (child.target.startsWith("/")) [above, names, node] = [[], [], this.#root];
        continue;
      }
      above = [...above, node];
      names = [...names, name];
      node = child;
    }
    return { path: `/${names.join("/")}`, node, above };
  }

  /** Names in a folder. Empty if the folder does not exist. */
  list(path: string): string[] {
    const found = this.find(path);
    return "node" in found && found.node.type === "directory" ? [...found.node.children.keys()].sort() : [];
  }

  /** Paths of the files that end in `/name`. */
  search(name: string): string[] {
    const wanted = name.split("/").at(-1) as string;
    const result: string[] = [];
    const visit = (folder: FolderNode, path: string) => {
      for (const [each, node] of folder.children) {
        const here = `${path}/${each}`;
        if (node.type === "directory") visit(node, here);
        else if (each === wanted && here.endsWith(`/${name}`)) result.push(here);
      }
    };
    visit(this.#root, "");
    return result.sort();
  }

  #node(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split("/")) {
      if (name === "" || name === ".") continue;
      node = node?.type === "directory" ? node.children.get(name) : undefined;
    }
    return node;
  }

  #existing(path: string): FolderNode | undefined {
    const node = this.#node(path);
    return node?.type === "directory" ? node : undefined;
  }

  /** An existing folder gets the owner and mode of the upper layer and keeps its content. */
  #addFolder(path: string, owned: Owned): void {
    if (path === "") {
      Object.assign(this.#root, owned);
      return;
    }
    const slash = path.lastIndexOf("/");
    const above = this.#folderAt(path.slice(0, Math.max(slash, 0)), owned.layer);
    const name = path.slice(slash + 1);
    const old = above.children.get(name);
    const children = old?.type === "directory" ? old.children : new Map<string, Node>();
    this.#budget.folder();
    above.children.set(name, { ...folder(owned), children });
  }

  /** The folder of a path, created if missing. A link from the same layer is followed; one from a lower layer is replaced. */
  #folderAt(path: string, layer: number): FolderNode {
    let node = this.#root;
    let here = "";
    for (const name of path.split("/")) {
      if (name === "") continue;
      here = `${here}/${name}`;
      let child = node.children.get(name);
      if (child?.type === "symlink" && child.layer === layer) {
        const found = this.find(here);
        if ("node" in found && found.node.type === "directory") child = found.node;
      }
      const next = child?.type === "directory" ? child : folder({ mode: 0o755, uid: 0, gid: 0, layer });
      if (next !== child) {
        this.#budget.folder();
        node.children.set(name, next);
      }
      node = next;
    }
    return node;
  }
}

function folder(owned: Owned): FolderNode {
  return { ...owned, type: "directory", children: new Map() };
}

/** Removes the content of a folder that came from lower layers. */
function prune(folder: FolderNode | undefined, layer: number): void {
  for (const [name, node] of folder?.children ?? []) if (isHidden(node, layer)) folder?.children.delete(name);
}

/** Whether a node is empty after a layer removes everything from the layers below. */
function isHidden(node: Node, layer: number): boolean {
  if (node.type !== "directory") return node.layer < layer;
  prune(node, layer);
  return node.layer < layer && node.children.size === 0;
}
