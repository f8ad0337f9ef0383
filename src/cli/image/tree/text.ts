import { formatBytes } from "../../../config/quantity.ts";
import { printable } from "../../../core/printable.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { type FileUsage, type FolderUsage, isFolder, type LayerUsage } from "./usage.ts";

export interface ImageUsage {
  readonly name: string;
  readonly digest: string;
  readonly platform: string;
  readonly layers: readonly LayerUsage[];
  readonly referrers: readonly Descriptor[];
}

/** Smaller shares of a layer get no line. */
const smallestShare = 0.02;

/** Each layer as a tree of folders to `depth` levels, the largest first. */
export function formatUsage(image: ImageUsage, depth: number): string {
  const { name, digest, platform, layers, referrers } = image;
  const [compressed, unpacked] = totals(image);
  const files = layers.reduce((sum, { root }) => sum + root.files, 0);
  const count = `${layers.length} layer${layers.length === 1 ? "" : "s"}, ${files} file${files === 1 ? "" : "s"}`;
  return [
    `${name}  ${platform}`,
    digest,
    `${formatBytes(compressed)} to pull, ${formatBytes(unpacked)} unpacked: ${count}`,
    ...referrers.map(({ artifactType }) => `attached: ${artifactType ?? "document of no type"}`),
    ...layers.flatMap((layer, index) => ["", ...layerLines(layer, index, depth)]),
  ]
    .map(printable)
    .join("\n");
}

export function totals({ layers }: ImageUsage): [compressed: number, unpacked: number] {
  return [
    layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    layers.reduce((sum, { root }) => sum + root.size, 0),
  ];
}

function layerLines({ descriptor, comment, root }: LayerUsage, index: number, depth: number): string[] {
  const hidden = root.hidden > 0 ? `, of which later layers hide ${formatBytes(root.hidden)}` : "";
  return [
    `layer ${index + 1}${comment === "" ? "" : `: ${comment}`}`,
    descriptor.digest,
    `${formatBytes(descriptor.size)} to pull, ${formatBytes(root.size)} unpacked${hidden}`,
    ...childLines(root, { depth, total: root.size, indent: "" }),
  ];
}

interface Place {
  readonly depth: number;
  readonly total: number;
  readonly indent: string;
}

function childLines(folder: FolderUsage, { depth, total, indent }: Place): string[] {
  if (depth === 0) return [];
  const shown: FileUsage[] = [];
  for (const child of folder.children) if (child.size > 0 && child.size >= total * smallestShare) shown.push(child);
  shown.sort((one, other) => other.size - one.size);
  const rest = folder.size - shown.reduce((sum, { size }) => sum + size, 0);
  const lines = shown.flatMap((child) => {
    const { node, path } = collapsed(child);
    const next = { depth: depth - 1, total, indent: `${indent}  ` };
    return [line(node.size, total, indent + path), ...(isFolder(node) ? childLines(node, next) : [])];
  });
  const hasSmaller = shown.length > 0 && rest >= total * smallestShare;
  return hasSmaller ? [...lines, line(rest, total, `${indent}(smaller)`)] : lines;
}

/** A folder that contains only another folder shares its line. */
function collapsed(start: FileUsage): { node: FileUsage; path: string } {
  let node = start;
  let path = start.name;
  while (isFolder(node)) {
    const [only, second]: Iterable<FileUsage> = node.children;
    if (!only || second || !isFolder(only)) break;
    node = only;
    path += `/${only.name}`;
  }
  return { node, path: isFolder(node) ? `${path}/` : path };
}

function line(size: number, total: number, text: string): string {
  const share = `${Math.round((100 * size) / total)}%`;
  return `${formatBytes(size).padStart(8)} ${share.padStart(4)}  ${text}`;
}
