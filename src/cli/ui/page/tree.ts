/// <reference lib="dom" />
import { type ComponentChild, Fragment, h } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { formatBytes } from "../../../config/quantity.ts";
import type { TreeAnswer } from "../../image/tree/page-data.ts";
import { Tip, usePalette } from "./canvas.ts";
import type { Box } from "./squarify.ts";
import { filesWith, type Item, itemsOf, pathOf } from "./tree-items.ts";
import { drawTreemap, hueOf } from "./treemap.ts";

const mostRows = { found: 200, children: 500 };

const counted = (files: number) => `${files} file${files === 1 ? "" : "s"}`;

function percent(part: number, whole: number): string {
  const share = whole > 0 ? (100 * part) / whole : 0;
  if (share > 0 && share < 0.1) return "<0.1%";
  return `${share >= 10 || share === 0 ? Math.round(share) : share.toFixed(1)}%`;
}

function factsOf(item: Item, image: Item, { layers }: TreeAnswer): readonly string[] {
  const layer = layers[item.layer];
  const number = `layer ${item.layer + 1}`;
  const isLayer = item.parent === image;
  return [
    isLayer ? item.name : pathOf(item),
    `${formatBytes(item.size)}, ${percent(item.size, image.size)} of the image`,
    ...(item.children ? [counted(item.files)] : []),
    ...(item.isHidden ? ["hidden: a later layer replaces or removes it"] : []),
    ...(layer ? [layer.title === number ? number : `${number}: ${layer.title}`] : []),
    ...(layer && isLayer ? [`${formatBytes(layer.pull)} to pull`, layer.digest] : []),
  ];
}

export function TreePage({ answer }: { readonly answer: TreeAnswer }): ComponentChild {
  return h("main", { class: "file" }, [
    h("h1", {}, answer.name),
    h("p", { class: "dim" }, answer.facts),
    h("p", {}, h("code", {}, answer.digest)),
    h(TreeView, { answer, hasKeyboard: true }),
  ]);
}

interface TreeProps {
  readonly answer: TreeAnswer;
  readonly hasKeyboard?: boolean;
}

export function TreeView({ answer, hasKeyboard = false }: TreeProps): ComponentChild {
  const image = useMemo(() => itemsOf(answer), [answer]);
  const [current, setCurrent] = useState(image.children?.length === 1 ? (image.children[0] as Item) : image);
  const [search, setSearch] = useState("");
  const [hovered, hover] = useState<Item>();
  const [tip, setTip] = useState<{ readonly item: Item; readonly x: number; readonly y: number }>();
  const matches = useMemo(() => filesWith(image, search), [image, search]);
  const box = useRef<HTMLDivElement>(null);
  const open = (item: Item) => {
    setCurrent(item);
    hover(undefined);
    setTip(undefined);
  };
  const goUp = () => {
    if (search !== "") setSearch("");
    else if (current.parent) open(current.parent);
  };
  useKeys(box, hasKeyboard, goUp);
  const onPoint = (item: Item | undefined, { clientX, clientY }: MouseEvent) => {
    hover(item);
    setTip(item && { item, x: clientX, y: clientY });
  };
  const factsFor = (item: Item) => factsOf(item, image, answer);
  const rowIn = (item: Item, whole: number, below = "", name = item.name) =>
    h(Row, { key: `${item.layer} ${pathOf(item)}`, ...{ item, whole, below, name, hover, open, factsFor } });
  const list = useMemo(() => {
    if (!matches) {
      const rows = (current.children ?? []).slice(0, mostRows.children).map((item) => {
        if (item.parent !== image) return rowIn(item, current.size, "", item.children ? `${item.name}/` : item.name);
        return rowIn(item, current.size, `${formatBytes(answer.layers[item.layer]?.pull ?? 0)} to pull`);
      });
      const about = `${counted(current.files)}, ${formatBytes(current.size)}`;
      return { heading: current === image ? "Layers, the lowest first" : about, rows };
    }
    const found = [...matches].sort((one, other) => other.size - one.size);
    const size = found.reduce((sum, item) => sum + item.size, 0);
    const rows = found
      .slice(0, mostRows.found)
      .map((item) => rowIn(item, size, pathOf(item).slice(0, -item.name.length)));
    return { heading: `${counted(found.length)} found, ${formatBytes(size)}`, rows };
  }, [current, matches]);
  const trail: Item[] = [];
  for (let at: Item | undefined = current; at; at = at.parent) trail.unshift(at);
  return h("div", { class: "tree", ref: box }, [
    h(
      "div",
      { class: "trail" },
      trail.map((item) => {
        const title = item === image ? "" : item.parent === image ? item.name : pathOf(item);
        return h("button", { key: title, title, onClick: () => open(item) }, item === image ? "All layers" : item.name);
      }),
    ),
    h("input", {
      ...{ type: "search", placeholder: "Search paths", "aria-label": "Search paths", value: search },
      onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => setSearch(currentTarget.value),
    }),
    h(Treemap, { item: current, matches, hovered, onPoint, open }),
    h("div", { class: "side" }, [
      h("p", { class: "heading dim" }, list.heading),
      h("div", { class: "list" }, list.rows),
      h("p", { class: "dim" }, "Click a folder to look into it. ", keys),
    ]),
    tip ? h(Tip, { x: tip.x, y: tip.y, children: tipLines(factsFor(tip.item)) }) : null,
  ]);
}

const key = (name: string) => h("kbd", {}, name);
const keys = h(Fragment, {}, [
  ...[key("Esc"), " back up, ", key("/"), " search, ", key("↑"), " ", key("↓"), " along the list."],
]);

const tipLines = ([name = "", ...rest]: readonly string[]) => [
  h("b", {}, name),
  ...rest.map((text) => h("div", { key: text }, text)),
];

interface TreemapProps {
  readonly item: Item;
  readonly matches: ReadonlySet<Item> | undefined;
  readonly hovered: Item | undefined;
  readonly onPoint: (item: Item | undefined, event: MouseEvent) => void;
  readonly open: (item: Item) => void;
}

function Treemap({ item, matches, hovered, onPoint, open }: TreemapProps): ComponentChild {
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawn = useRef(new Map<Item, Box>());
  const palette = usePalette();
  const [resized, resize] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const onResize = () => resize(undefined);
    addEventListener("resize", onResize);
    return () => removeEventListener("resize", onResize);
  }, []);
  useEffect(() => {
    if (canvas.current) drawn.current = drawTreemap(canvas.current, { item, matches, hovered, palette });
  }, [item, matches, hovered, palette, resized]);
  const itemAt = ({ clientX, clientY, currentTarget }: MouseEvent): Item | undefined => {
    const { left, top } = (currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    const hit = (box: Box) => x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height;
    return [...drawn.current].findLast(([, box]) => hit(box))?.[0];
  };
  return h("canvas", {
    ref: canvas,
    role: "img",
    "aria-label": "Treemap of the image. The list has the same folders",
    onMouseMove: (event: MouseEvent) => onPoint(itemAt(event), event),
    onMouseLeave: (event: MouseEvent) => onPoint(undefined, event),
    onClick: (event: MouseEvent) => {
      // Go down one level per click, so that going back takes as many steps.
      let target = itemAt(event);
      while (target?.parent && target.parent !== item) target = target.parent;
      if (target?.children) open(target);
    },
  });
}

interface RowProps {
  readonly item: Item;
  readonly name: string;
  /** A line below the name. Empty: none. */
  readonly below: string;
  readonly whole: number;
  readonly hover: (item: Item | undefined) => void;
  readonly open: (item: Item) => void;
  readonly factsFor: (item: Item) => readonly string[];
}

function Row({ item, name, below, whole, hover, open, factsFor }: RowProps): ComponentChild {
  const leave = () => hover(undefined);
  const enter = () => hover(item);
  const width = `${whole > 0 ? (100 * item.size) / whole : 0}%`;
  return h(
    "button",
    {
      title: factsFor(item).join("\n"),
      onClick: () => open(item.children ? item : (item.parent ?? item)),
      ...{ onMouseEnter: enter, onFocus: enter, onMouseLeave: leave, onBlur: leave },
    },
    [
      h("span", { class: "name" }, name),
      h("span", { class: "number" }, formatBytes(item.size)),
      h("span", { class: "number dim" }, percent(item.size, whole)),
      below === "" ? null : h("span", { class: "below dim" }, below),
      item.size > 0 ? h("span", { class: "bar", style: { width, background: `hsl(${hueOf(item)} 60% 55%)` } }) : null,
    ],
  );
}

/** `/` to search, Escape to go up, and arrows along the list. */
function useKeys(box: { readonly current: HTMLElement | null }, hasKeyboard: boolean, goUp: () => void): void {
  const latest = useRef(goUp);
  latest.current = goUp;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const { activeElement } = document;
      const search = box.current?.querySelector("input");
      const isMeant = hasKeyboard || box.current?.contains(activeElement);
      if (event.key === "/" && !(activeElement instanceof HTMLInputElement)) {
        event.preventDefault();
        search?.focus();
      } else if (isMeant && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
        const rows = [...(box.current?.querySelectorAll<HTMLElement>(".list button") ?? [])];
        const at = rows.indexOf(activeElement as HTMLElement);
        const next = rows[event.key === "ArrowDown" ? at + 1 : at < 0 ? rows.length - 1 : at - 1];
        if (!next) return;
        event.preventDefault();
        next.focus();
      } else if (isMeant && event.key === "Escape") latest.current();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}
