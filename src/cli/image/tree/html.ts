import { formatBytes } from "../../../registry/client/progress.ts";
import { type PageData, type PageNode, show } from "./page.ts";
import { squarify } from "./squarify.ts";
import { type ImageUsage, totals } from "./text.ts";
import { type FolderUsage, isFolder } from "./usage.ts";

/** Number of files that the page lists by name. Smaller files are summed up per folder. */
const maximumFiles = 60_000;

/** Characters of the page's data, about. What does not fit is summed up per folder, too. */
const room = 16 * 1024 * 1024;

/** An image as the page shows it. */
export interface TreeAnswer {
  readonly title: string;
  readonly facts: string;
  readonly digest: string;
  readonly tree: PageData;
}

/** The style of the page. */
export const treeStyle = `
:root { color-scheme: light dark; --ink: #16181d; --dim: #5b6170; --paper: #fff; --line: #d9dce3; --accent: #e11d48 }
@media (prefers-color-scheme: dark) { :root { --ink: #f3f4f6; --dim: #a2a9b8; --paper: #15171c; --line: #343944 } }
* { box-sizing: border-box }
html, body { height: 100%; margin: 0 }
body { display: grid; grid-template: auto auto 1fr / 1fr 340px; font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
header { grid-column: 1 / 3; padding: 12px 16px 8px }
h1 { margin: 0; font-size: 18px; overflow-wrap: anywhere }
header p { margin: 2px 0 0; color: var(--dim); overflow-wrap: anywhere }
code { font: 12px ui-monospace, monospace }
nav { grid-column: 1 / 3; display: flex; gap: 12px; align-items: center; padding: 0 16px 8px }
#trail { flex: 1; min-width: 0; overflow: hidden; white-space: nowrap }
#trail button + button::before { content: "›"; margin: 0 6px; color: var(--dim) }
#trail button { max-width: 30ch; overflow: hidden; text-overflow: ellipsis; padding: 2px 0 }
#trail button:last-child { font-weight: 600 }
button { font: inherit; color: inherit; background: none; border: 0; text-align: left; cursor: pointer }
#search { width: 324px; padding: 6px 10px; font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px }
main { min-width: 0; min-height: 0; padding: 0 0 12px 16px }
canvas { display: block; width: 100%; height: 100%; cursor: pointer }
aside { display: flex; flex-direction: column; min-height: 0; padding: 0 16px 12px 12px }
#heading { margin: 0 0 6px; font-size: 13px; color: var(--dim) }
#list { overflow-y: auto; min-height: 0 }
#list button { position: relative; display: grid; grid-template-columns: 1fr auto 6ch; gap: 0 8px; width: 100%; padding: 4px 6px 7px; border-radius: 4px; overflow: hidden }
#list button:hover, #list button:focus-visible { outline: 1px solid var(--dim); outline-offset: -1px }
.bar { position: absolute; inset: auto auto 2px 6px; height: 3px; min-width: 3px; max-width: calc(100% - 12px); border-radius: 2px }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.size, .share { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.share, .below { color: var(--dim) }
.below { grid-column: 1 / 4; font-size: 12px; overflow-wrap: anywhere }
#keys { margin: 8px 0 0; font-size: 12px; color: var(--dim) }
kbd { padding: 0 4px; border: 1px solid var(--line); border-radius: 3px; font: 11px ui-monospace, monospace }
#tip { position: fixed; z-index: 1; max-width: 46ch; padding: 7px 10px; border-radius: 6px; background: #16181d; color: #f3f4f6; font-size: 12.5px; overflow-wrap: anywhere; pointer-events: none; box-shadow: 0 4px 16px #0006 }
#tip[hidden] { display: none }
@media (max-width: 800px) { body { grid-template: auto auto 1fr 35% / 1fr } header, nav { grid-column: 1 } main { padding-right: 16px } aside { padding-left: 16px } #search { width: 40% } }
`;

const parts = `<nav><div id="trail"></div><input id="search" type="search" placeholder="Search paths" aria-label="Search paths"></nav>
<main><canvas role="img" aria-label="Treemap of the image. The list has the same folders"></canvas></main>
<aside><p id="heading"></p><div id="list"></div><p id="keys">Click a folder to look into it. <kbd>Esc</kbd> back up, <kbd>/</kbd> search, <kbd>↑</kbd> <kbd>↓</kbd> along the list.</p></aside>
<div id="tip" hidden></div>`;

/** A self-contained page that shows the size of an image's layers and folders. */
export function usagePage(image: ImageUsage): string {
  const { title, facts, digest, tree } = treeAnswer(image);
  // Escape `</script`, which would end the script even inside quotes.
  const data = JSON.stringify(tree).replaceAll("<", "\\u003c");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${treeStyle}</style>
<header><h1>${escaped(image.name)}</h1><p>${escaped(facts)}</p><p><code>${digest}</code></p></header>
${parts}
<script>
(${show})(${data}, ${squarify}, ${formatBytes})
</script>
</html>
`;
}

/** The same page without an image and a script of its own, for `slipway ui`. */
export const treeShell = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Treemap</title>
<link rel="stylesheet" href="/tree.css">
<header><p id="facts" role="status">Reading the layers…</p></header>
${parts}
<script type="module" src="/page.js"></script>
</html>
`;

/** The data of an image's page. */
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
    title: `${image.name}: ${formatBytes(unpacked)} in ${layers}`,
    facts: facts.filter((fact) => fact !== "").join(" · "),
    digest: image.digest,
    tree: pageData(image),
  };
}

function pageData(image: ImageUsage): PageData {
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
  return {
    name: image.name,
    layers: image.layers.map(({ descriptor, comment, root }, index) => ({
      title: comment || `layer ${index + 1}`,
      digest: descriptor.digest,
      pull: descriptor.size,
      root: pageNode(root),
    })),
  };
}

/** The size from which a file counts as one of the largest. */
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

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
