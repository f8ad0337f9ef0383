import { formatBytes } from "../../../config/quantity.ts";
import { type ImageUsage, totals } from "./text.ts";
import { type FolderUsage, isFolder } from "./usage.ts";

/** Smaller files are summed up per folder. */
const maximumFiles = 60_000;

/** About so many characters. Slipway sums up the rest per folder, too. */
const room = 16 * 1024 * 1024;

/** A folder: name and content. A file: name, bytes, and 1 if a later layer hides it. `""`: many small files. */
export type PageNode =
  | readonly [name: string, children: readonly PageNode[]]
  | readonly [name: string, size: number]
  | readonly [name: string, size: number, hidden: 1];

export interface TreeAnswer {
  readonly name: string;
  readonly title: string;
  readonly facts: string;
  readonly digest: string;
  readonly layers: readonly {
    readonly title: string;
    readonly digest: string;
    readonly pull: number;
    readonly root: PageNode;
  }[];
}

export function treeAnswer(image: ImageUsage): TreeAnswer {
  const [pull, unpacked] = totals(image);
  const hidden = image.layers.reduce((sum, { root }) => sum + root.hidden, 0);
  const files = image.layers.reduce((sum, { root }) => sum + root.files, 0);
  const layers = `${image.layers.length} layer${image.layers.length === 1 ? "" : "s"}`;
  const facts = [
    image.platform,
    `${formatBytes(pull)} to pull`,
    `${formatBytes(unpacked)} unpacked`,
    layers,
    `${files} file${files === 1 ? "" : "s"}`,
    ...(hidden > 0 ? [`${formatBytes(hidden)} hidden by later layers (hatched)`] : []),
  ];
  return {
    name: image.name,
    title: `${image.name}: ${formatBytes(unpacked)} in ${layers}`,
    facts: facts.filter((fact) => fact !== "").join(" · "),
    digest: image.digest,
    layers: pageLayers(image),
  };
}

function pageLayers(image: ImageUsage): TreeAnswer["layers"] {
  const smallest = sizeOfLargest(image);
  let left = room;
  const pageNode = (folder: FolderUsage): PageNode => {
    const children: PageNode[] = [];
    let rest = 0;
    for (const child of folder.children) {
      const { name, size } = child;
      const isShown = (isFolder(child) || size >= smallest) && left > 0;
      if (isShown) left -= name.length + 40;
      if (!isShown) rest += size;
      else if (isFolder(child)) children.push(pageNode(child));
      else children.push(child.isHidden ? [name, size, 1] : [name, size]);
    }
    if (rest > 0) children.push(["", rest]);
    return [folder.name, children];
  };
  return image.layers.map(({ descriptor, comment, root }, index) => ({
    title: comment || `layer ${index + 1}`,
    digest: descriptor.digest,
    pull: descriptor.size,
    root: pageNode(root),
  }));
}

function sizeOfLargest({ layers }: ImageUsage): number {
  const sizes = new Float64Array(layers.reduce((sum, { root }) => sum + root.files, 0));
  let count = 0;
  const visit = (folder: FolderUsage) => {
    for (const child of folder.children) {
      if (isFolder(child)) visit(child);
      else sizes[count++] = child.size;
    }
  };
  for (const { root } of layers) visit(root);
  return sizes.sort().at(-maximumFiles - 1) ?? 0;
}
