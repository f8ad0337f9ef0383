import type { PageNode, TreeAnswer } from "../../image/tree/page-data.ts";

/** An image, a layer, a folder or a file. */
export interface Item {
  readonly name: string;
  /** Undefined: it is the image. */
  readonly parent: Item | undefined;
  /** -1: it is the image. */
  readonly layer: number;
  readonly isHidden: boolean;
  /** Undefined: it is a file. */
  readonly children: Item[] | undefined;
  size: number;
  files: number;
}

const smallFiles = "smaller files";
const empty = { isHidden: false, size: 0, files: 0 };

/** Keeps the order of layers, and sorts the content of each folder from the largest. */
export function itemsOf({ name, layers }: TreeAnswer): Item {
  const image: Item = { ...empty, name, parent: undefined, layer: -1, children: [] };
  for (const [index, { title, root }] of layers.entries()) {
    add(image, itemOf([title, root[1] as readonly PageNode[]], image, index));
  }
  return image;
}

function itemOf(node: PageNode, parent: Item, layer: number): Item {
  let [name, content, hidden] = node;
  // A folder that contains only another folder is shown as one with it.
  while (parent.parent && typeof content !== "number" && content.length === 1) {
    const only = content[0] as PageNode;
    if (typeof only[1] === "number") break;
    name += `/${only[0]}`;
    content = only[1];
  }
  if (typeof content === "number") {
    const file = { isHidden: hidden === 1, children: undefined, size: content, files: 1 };
    return { ...file, name: name || smallFiles, parent, layer };
  }
  const folder: Item = { ...empty, name, parent, layer, children: [] };
  for (const child of content) add(folder, itemOf(child, folder, layer));
  folder.children?.sort((one, other) => other.size - one.size);
  return folder;
}

function add(folder: Item, child: Item): void {
  folder.children?.push(child);
  folder.size += child.size;
  folder.files += child.files;
}

export function pathOf(item: Item): string {
  const names: string[] = [];
  for (let at: Item | undefined = item; at?.parent?.parent; at = at.parent) names.unshift(at.name);
  return `/${names.join("/")}`;
}

/** Ignores case. Undefined: there is no text. */
export function filesWith(image: Item, text: string): Set<Item> | undefined {
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return undefined;
  const found = new Set<Item>();
  const visit = (item: Item): void => {
    if (item.children) item.children.forEach(visit);
    else if (item.name !== smallFiles && pathOf(item).toLowerCase().includes(wanted)) found.add(item);
  };
  visit(image);
  return found;
}
