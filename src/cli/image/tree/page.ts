/// <reference lib="dom" />
import type { Box } from "./squarify.ts";

/** A folder: name and content. A file: name, bytes, and 1 if a later layer hides it. The name `""` stands for many small files. */
export type PageNode =
  | readonly [name: string, children: readonly PageNode[]]
  | readonly [name: string, size: number]
  | readonly [name: string, size: number, hidden: 1];

export interface PageData {
  readonly name: string;
  /** One per layer. */
  readonly layers: readonly {
    readonly title: string;
    readonly digest: string;
    readonly pull: number;
    readonly root: PageNode;
  }[];
}

/**
 * The script of the page of `slipway image tree --html`: a treemap, a list and a search. The page contains its source text, so it may use
 * nothing but its arguments.
 */
export function show(
  data: PageData,
  squarify: (weights: readonly number[], whole: Box) => Box[],
  formatBytes: (bytes: number) => string,
): void {
  interface Item {
    readonly name: string;
    readonly parent: Item | undefined;
    readonly layer: number;
    readonly isHidden: boolean;
    readonly children: Item[] | undefined;
    size: number;
    files: number;
  }
  const find = <Kind extends Element>(selector: string) => document.querySelector(selector) as Kind;
  const canvas = find<HTMLCanvasElement>("canvas");
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const tip = find<HTMLElement>("#tip");
  const list = find<HTMLElement>("#list");
  const heading = find<HTMLElement>("#heading");
  const trail = find<HTMLElement>("#trail");
  const search = find<HTMLInputElement>("#search");
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  const hues = [212, 28, 150, 280, 345, 184, 55, 100];
  const headHeight = 18;
  const smallFiles = "smaller files";
  const counted = (files: number) => `${files} file${files === 1 ? "" : "s"}`;

  const folder = { isHidden: false, size: 0, files: 0 };
  const image: Item = { ...folder, name: data.name, parent: undefined, layer: -1, children: [] };
  data.layers.forEach(({ title, root }, index) => {
    const layer = itemOf([title, root[1] as readonly PageNode[]], image, index);
    image.children?.push(layer);
    image.size += layer.size;
    image.files += layer.files;
  });

  function itemOf(node: PageNode, parent: Item, layer: number): Item {
    let [name, content, hidden] = node;
    // A folder that contains only another folder is shown as one with it.
    while (parent !== image && typeof content !== "number" && content.length === 1) {
      const only = content[0] as PageNode;
      if (typeof only[1] === "number") break;
      name += `/${only[0]}`;
      content = only[1];
    }
    if (typeof content === "number") {
      const file = { isHidden: hidden === 1, children: undefined, size: content, files: 1 };
      return { ...file, name: name || smallFiles, parent, layer };
    }
    const item: Item = { ...folder, name, parent, layer, children: [] };
    for (const child of content) {
      const made = itemOf(child, item, layer);
      item.children?.push(made);
      item.size += made.size;
      item.files += made.files;
    }
    item.children?.sort((one, other) => other.size - one.size);
    return item;
  }

  let current = image;
  let hovered: Item | undefined;
  let matches: Set<Item> | undefined;
  let drawn = new Map<Item, Box>();

  function pathOf(item: Item): string {
    const names: string[] = [];
    for (let at: Item | undefined = item; at?.parent?.parent; at = at.parent) names.unshift(at.name);
    return `/${names.join("/")}`;
  }

  function colour(item: Item, level: number, isWhole: boolean): string {
    const hue = hues[item.layer % hues.length] ?? 0;
    const step = Math.min(level, 5);
    const isFaded = matches !== undefined && !matches.has(item);
    const saturation = isFaded ? 8 : isWhole ? 62 : 45;
    if (isDark.matches) return `hsl(${hue} ${saturation}% ${isWhole ? (isFaded ? 28 : 40) : 20 + 3 * step}%)`;
    return `hsl(${hue} ${saturation}% ${isWhole ? (isFaded ? 88 : 74) : 93 - 3 * step}%)`;
  }

  /** Writes a name, cut if needed, and its size if it fits completely: half a number would be wrong. */
  function label(name: string, size: string, box: Box, top: number, isFolder: boolean): void {
    const room = box.width - 8;
    const font = (weight: string) => `${weight} 12px system-ui, sans-serif`;
    context.font = font("400");
    const sizeWidth = context.measureText(size).width;
    context.font = font(isFolder ? "600" : "400");
    let shown = name;
    while (shown.length > 1 && context.measureText(shown === name ? shown : `${shown}…`).width > room) {
      shown = shown.slice(0, -1);
    }
    if (shown !== name) shown = shown.length < 3 ? "" : `${shown}…`;
    context.fillText(shown, box.x + 4, top);
    const nameWidth = context.measureText(shown).width;
    context.font = font("400");
    if (isFolder && nameWidth + 8 + sizeWidth <= room) context.fillText(size, box.x + 4 + nameWidth + 8, top);
    if (!isFolder && sizeWidth <= room && box.height > 34) context.fillText(size, box.x + 4, top + 15);
  }

  function draw(item: Item, box: Box, level: number): void {
    drawn.set(item, box);
    // The content of such a small folder would be too small to point at.
    const isWhole = !item.children || box.width < 9 || box.height < 9;
    context.fillStyle = colour(item, level, isWhole);
    context.fillRect(box.x, box.y, box.width, box.height);
    if (item.isHidden) hatch(box);
    const ink = isDark.matches ? "#f3f4f6" : "#16181d";
    const isBig = box.width > 34 && box.height > 16;
    context.strokeStyle = isDark.matches ? "#0008" : "#fff";
    if (box.width > 3 && box.height > 3) context.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
    context.fillStyle = matches && !matches.has(item) && !item.children ? `${ink}80` : ink;
    if (!item.children) {
      if (isBig) label(item.name, formatBytes(item.size), box, box.y + 13, false);
      return;
    }
    if (isWhole) return;
    const hasHead = box.width > 46 && box.height > 40;
    if (hasHead) label(item.name, formatBytes(item.size), box, box.y + 13, true);
    const inset = box.width > 12 && box.height > 12 ? 2 : 0;
    const inner: Box = {
      x: box.x + inset,
      y: box.y + (hasHead ? headHeight : inset),
      width: box.width - 2 * inset,
      height: box.height - (hasHead ? headHeight + inset : 2 * inset),
    };
    drawChildren(item, inner, level + 1);
  }

  function drawChildren(item: Item, box: Box, level: number): void {
    const children = (item.children ?? []).filter(({ size }) => size > 0).sort((one, other) => other.size - one.size);
    if (box.width < 2 || box.height < 2) return;
    const sizes = children.map(({ size }) => size);
    for (const [index, each] of squarify(sizes, box).entries()) {
      if (each.width * each.height > 3) draw(children[index] as Item, each, level);
    }
  }

  function hatch({ x, y, width, height }: Box): void {
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.strokeStyle = isDark.matches ? "#0009" : "#0003";
    context.beginPath();
    for (let at = -height; at < width; at += 7) {
      context.moveTo(x + at, y + height);
      context.lineTo(x + at + height, y);
    }
    context.stroke();
    context.restore();
  }

  function outline(item: Item, style: string, thickness: number): void {
    const box = drawn.get(item);
    if (!box) return;
    const { x, y, width, height } = box;
    context.strokeStyle = style;
    context.lineWidth = thickness;
    context.strokeRect(x + 1, y + 1, Math.max(1, width - 2), Math.max(1, height - 2));
    context.lineWidth = 1;
  }

  function redraw(): void {
    const { width, height } = canvas.getBoundingClientRect();
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    drawn = new Map();
    const whole = { x: 0, y: 0, width, height };
    if (current.children) drawChildren(current, whole, 0);
    else draw(current, whole, 0);
    if (matches && matches.size < 2000) for (const match of matches) outline(match, "#e11d48", 2);
    if (hovered) outline(hovered, isDark.matches ? "#fff" : "#111", 2);
  }

  function percent(part: number, whole: number): string {
    const share = whole > 0 ? (100 * part) / whole : 0;
    if (share > 0 && share < 0.1) return "<0.1%";
    return `${share >= 10 || share === 0 ? Math.round(share) : share.toFixed(1)}%`;
  }

  function facts(item: Item): [strong: string, rest: string[]] {
    const layer = data.layers[item.layer];
    const rest = [`${formatBytes(item.size)}, ${percent(item.size, image.size)} of the image`];
    if (item.children) rest.push(counted(item.files));
    if (item.isHidden) rest.push("hidden: a later layer replaces or removes it");
    if (layer) {
      const number = `layer ${item.layer + 1}`;
      rest.push(layer.title === number ? number : `${number}: ${layer.title}`);
      if (item.parent === image) rest.push(`${formatBytes(layer.pull)} to pull`, layer.digest);
    }
    return [item.parent === image ? item.name : pathOf(item), rest];
  }

  function element(tag: string, text: string, className = ""): HTMLElement {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = className;
    return made;
  }

  function showTip(item: Item, event: MouseEvent): void {
    const [strong, rest] = facts(item);
    tip.replaceChildren(element("b", strong), ...rest.map((text) => element("div", text)));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = event.clientX + 14 + width > innerWidth ? event.clientX - width - 10 : event.clientX + 14;
    const top = event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, top)}px`;
  }

  /** @param below a line below the name; empty: none */
  function rowOf(item: Item, name: string, below: string, whole: number): HTMLElement {
    const row = document.createElement("button");
    row.title = facts(item).flat().join("\n");
    const bar = element("span", "", "bar");
    bar.style.width = `${whole > 0 ? (100 * item.size) / whole : 0}%`;
    bar.style.background = `hsl(${hues[item.layer % hues.length]} 60% 55%)`;
    row.append(
      element("span", name, "name"),
      element("span", formatBytes(item.size), "size"),
      element("span", percent(item.size, whole), "share"),
      ...(below === "" ? [] : [element("span", below, "below")]),
      ...(item.size > 0 ? [bar] : []),
    );
    row.onclick = () => open(item.children ? item : (item.parent ?? item));
    row.onmouseenter = row.onfocus = () => hover(item);
    row.onmouseleave = row.onblur = () => hover(undefined);
    return row;
  }

  function hover(item: Item | undefined): void {
    if (item === hovered) return;
    hovered = item;
    redraw();
  }

  function showList(): void {
    if (matches) {
      const found = [...matches].sort((one, other) => other.size - one.size);
      const size = found.reduce((sum, item) => sum + item.size, 0);
      heading.textContent = `${counted(found.length)} found, ${formatBytes(size)}`;
      const folderOf = (item: Item) => pathOf(item).slice(0, -item.name.length);
      list.replaceChildren(...found.slice(0, 200).map((item) => rowOf(item, item.name, folderOf(item), size)));
      return;
    }
    const children = current.children ?? [];
    const about = `${counted(current.files)}, ${formatBytes(current.size)}`;
    heading.textContent = current === image ? "Layers, the lowest first" : about;
    const rowIn = (item: Item) => {
      const pull = formatBytes(data.layers[item.layer]?.pull ?? 0);
      if (item.parent === image) return rowOf(item, item.name, `${pull} to pull`, current.size);
      return rowOf(item, item.children ? `${item.name}/` : item.name, "", current.size);
    };
    list.replaceChildren(...children.slice(0, 500).map(rowIn));
  }

  function showTrail(): void {
    const parts: HTMLElement[] = [];
    for (let at: Item | undefined = current; at; at = at.parent) {
      const item = at;
      const part = element("button", item === image ? "All layers" : item.name);
      part.title = item === image ? "" : item.parent === image ? item.name : pathOf(item);
      part.onclick = () => open(item);
      parts.unshift(part);
    }
    trail.replaceChildren(...parts);
  }

  function open(item: Item): void {
    current = item;
    hovered = undefined;
    tip.hidden = true;
    showTrail();
    showList();
    redraw();
  }

  function searchFor(text: string): void {
    const wanted = text.trim().toLowerCase();
    matches = wanted === "" ? undefined : new Set();
    const visit = (item: Item): void => {
      if (item.children) item.children.forEach(visit);
      else if (item.name !== smallFiles && pathOf(item).toLowerCase().includes(wanted)) matches?.add(item);
    };
    if (matches) visit(image);
    showList();
    redraw();
  }

  function itemAt(event: MouseEvent): Item | undefined {
    const { left, top } = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const hit = (box: Box) => x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height;
    // The content was drawn later, so it is on top.
    return [...drawn].findLast(([, box]) => hit(box))?.[0];
  }

  canvas.onmousemove = (event) => {
    const item = itemAt(event);
    hover(item);
    if (item) showTip(item, event);
    else tip.hidden = true;
  };
  canvas.onmouseleave = () => {
    tip.hidden = true;
    hover(undefined);
  };
  canvas.onclick = (event) => {
    // Go down one level per click, so that going back takes as many steps.
    let target = itemAt(event);
    while (target?.parent && target.parent !== current) target = target.parent;
    if (target?.children) open(target);
  };
  search.oninput = () => searchFor(search.value);
  document.onkeydown = (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const rows = [...list.querySelectorAll("button")];
      const at = rows.indexOf(document.activeElement as HTMLButtonElement);
      const next = rows[event.key === "ArrowDown" ? at + 1 : at < 0 ? rows.length - 1 : at - 1];
      if (!next) return;
      event.preventDefault();
      next.focus();
    } else if (event.key === "Escape") {
      if (search.value !== "") {
        search.value = "";
        searchFor("");
      } else if (current.parent) open(current.parent);
    }
  };
  isDark.onchange = redraw;
  addEventListener("resize", redraw);
  open(image.children?.length === 1 && image.children[0] ? image.children[0] : image);
}
