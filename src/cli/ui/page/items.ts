/// <reference lib="dom" />
import { type ComponentChild, h } from "preact";
import { useRef, useState } from "preact/hooks";
import { durationText, State } from "./parts.ts";
import type { Call } from "./timeline.ts";

const row = 26;
const inSight = 420;
const titles = ["Step", "Item", "State", "Where", "Duration", "Result or error"];

/** Only the rows in sight are elements. */
export function Items({ calls, now }: { readonly calls: readonly Call[]; readonly now: number }): ComponentChild {
  const [top, setTop] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const first = Math.max(0, Math.floor(top / row) - 4);
  const shown = calls.slice(first, first + Math.ceil(inSight / row) + 8);
  return h(
    "div",
    {
      ref: box,
      class: "scroll items",
      role: "table",
      "aria-label": "Calls",
      "aria-rowcount": calls.length + 1,
      tabIndex: 0,
      onScroll: () => setTop(box.current?.scrollTop ?? 0),
    },
    [
      h(
        "div",
        { class: "row head", role: "row", "aria-rowindex": 1 },
        titles.map((title) => h("span", { key: title, role: "columnheader" }, title)),
      ),
      h(
        "div",
        { class: "body", role: "rowgroup", style: { height: `${calls.length * row}px` } },
        shown.map(({ batch, item }, at) => {
          const { index, state, where = "", error, result = "", started, ended } = item;
          const took = started === undefined ? "" : durationText((ended ?? now) - started);
          const cells = [batch.id, batch.isMap ? String(index) : "", h(State, { state }), where, took, error ?? result];
          return h(
            "div",
            {
              key: `${batch.id} ${index}`,
              class: "row",
              role: "row",
              "aria-rowindex": first + at + 2,
              style: { top: `${(first + at) * row}px` },
            },
            cells.map((cell, column) =>
              h(
                "span",
                { key: titles[column], role: "cell", title: typeof cell === "string" ? cell : undefined },
                cell,
              ),
            ),
          );
        }),
      ),
    ],
  );
}
