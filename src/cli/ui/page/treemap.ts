/// <reference lib="dom" />
import { formatBytes } from "../../../config/quantity.ts";
import { clear, type Palette } from "./canvas.ts";
import { type Box, squarify } from "./squarify.ts";
import type { Item } from "./tree-items.ts";

export const hueOf = ({ layer }: Item) => [212, 28, 150, 280, 345, 184, 55, 100][layer % 8] ?? 0;

const headHeight = 18;
/** More matches get no outline of their own. */
const mostOutlines = 2000;

export interface Scene {
  readonly item: Item;
  /** Undefined: there is no search. */
  readonly matches: ReadonlySet<Item> | undefined;
  readonly hovered: Item | undefined;
  readonly palette: Palette;
}

/** @returns where each item is */
export function drawTreemap(canvas: HTMLCanvasElement, scene: Scene): Map<Item, Box> {
  const { width, height } = canvas.getBoundingClientRect();
  const painter = new Painter(clear(canvas, width, height), scene);
  const whole = { x: 0, y: 0, width, height };
  if (scene.item.children) painter.drawChildren(scene.item, whole, 0);
  else painter.draw(scene.item, whole, 0);
  const { matches, hovered, palette } = scene;
  if (matches && matches.size < mostOutlines) {
    for (const match of matches) painter.outline(match, palette["--failed"]);
  }
  if (hovered) painter.outline(hovered, palette["--ink"]);
  return painter.drawn;
}

class Painter {
  readonly #context: CanvasRenderingContext2D;
  readonly #scene: Scene;
  readonly drawn = new Map<Item, Box>();

  constructor(context: CanvasRenderingContext2D, scene: Scene) {
    this.#context = context;
    this.#scene = scene;
  }

  draw(item: Item, box: Box, level: number): void {
    const context = this.#context;
    const { matches, palette } = this.#scene;
    const { x, y, width, height } = box;
    this.drawn.set(item, box);
    // The content of such a small folder would be too small to point at.
    const isWhole = !item.children || width < 9 || height < 9;
    context.fillStyle = this.#colour(item, level, isWhole);
    context.fillRect(x, y, width, height);
    if (item.isHidden) this.#hatch(box);
    context.strokeStyle = palette.isDark ? "#0008" : "#fff";
    if (width > 3 && height > 3) context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
    const isFaded = matches && !matches.has(item) && !item.children;
    context.fillStyle = `${palette["--ink"]}${isFaded ? "80" : ""}`;
    if (!item.children && width > 34 && height > 16) this.#label(item, box);
    if (isWhole) return;
    const hasHead = width > 46 && height > 40;
    if (hasHead) this.#label(item, box);
    const inset = width > 12 && height > 12 ? 2 : 0;
    const head = hasHead ? headHeight : inset;
    const inner = { x: x + inset, y: y + head, width: width - 2 * inset, height: height - head - inset };
    this.drawChildren(item, inner, level + 1);
  }

  drawChildren({ children = [] }: Item, box: Box, level: number): void {
    if (box.width < 2 || box.height < 2) return;
    const shown = children.filter(({ size }) => size > 0).sort((one, other) => other.size - one.size);
    const sizes = shown.map(({ size }) => size);
    for (const [index, each] of squarify(sizes, box).entries()) {
      if (each.width * each.height > 3) this.draw(shown[index] as Item, each, level);
    }
  }

  outline(item: Item, style = ""): void {
    const box = this.drawn.get(item);
    if (!box) return;
    this.#context.strokeStyle = style;
    this.#context.lineWidth = 2;
    this.#context.strokeRect(box.x + 1, box.y + 1, Math.max(1, box.width - 2), Math.max(1, box.height - 2));
    this.#context.lineWidth = 1;
  }

  #colour(item: Item, level: number, isWhole: boolean): string {
    const { matches, palette } = this.#scene;
    const step = 3 * Math.min(level, 5);
    const isFaded = matches !== undefined && !matches.has(item);
    const saturation = isFaded ? 8 : isWhole ? 62 : 45;
    const [folder, file] = palette.isDark ? [20 + step, isFaded ? 28 : 40] : [93 - step, isFaded ? 88 : 74];
    return `hsl(${hueOf(item)} ${saturation}% ${isWhole ? file : folder}%)`;
  }

  /** Cuts the name if needed. The size must fit completely: half a number would be wrong. */
  #label({ name, size, children }: Item, box: Box): void {
    const context = this.#context;
    const [left, top, room] = [box.x + 4, box.y + 13, box.width - 8];
    const bytes = formatBytes(size);
    const font = (weight: number) => `${weight} 12px system-ui, sans-serif`;
    context.font = font(400);
    const bytesWidth = context.measureText(bytes).width;
    context.font = font(children ? 600 : 400);
    let shown = name;
    while (shown.length > 1 && context.measureText(shown === name ? shown : `${shown}…`).width > room) {
      shown = shown.slice(0, -1);
    }
    if (shown !== name) shown = shown.length < 3 ? "" : `${shown}…`;
    context.fillText(shown, left, top);
    const nameWidth = context.measureText(shown).width + 8;
    context.font = font(400);
    if (children && nameWidth + bytesWidth <= room) context.fillText(bytes, left + nameWidth, top);
    if (!children && bytesWidth <= room && box.height > 34) context.fillText(bytes, left, top + 15);
  }

  #hatch({ x, y, width, height }: Box): void {
    const context = this.#context;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.strokeStyle = this.#scene.palette.isDark ? "#0009" : "#0003";
    context.beginPath();
    for (let at = -height; at < width; at += 7) {
      context.moveTo(x + at, y + height);
      context.lineTo(x + at + height, y);
    }
    context.stroke();
    context.restore();
  }
}
