/// <reference lib="dom" />
import { type ComponentChild, h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { RunBatch, RunItem } from "../../../runs/fold.ts";
import { clear, Tip, usePalette } from "./canvas.ts";
import { durationText } from "./parts.ts";

export interface Call {
  readonly batch: RunBatch;
  readonly item: RunItem;
}

/** The canvas reads it in each frame, so that a change needs no new elements. */
export interface Times {
  readonly calls: readonly Call[];
  readonly from: number;
  /** Undefined: now. */
  readonly to: number | undefined;
  readonly version: number;
}

const axis = 22;
const tallest = 420;

function rowHeight(count: number): number {
  return Math.max(4, Math.min(16, Math.floor((tallest - axis) / Math.max(1, count))));
}

function stepOf(milliseconds: number): number {
  const wanted = milliseconds / 6;
  const steps = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5];
  return steps.find((step) => step >= wanted) ?? Math.ceil(wanted / 36e5) * 36e5;
}

/** Draws only the rows that are in sight, on one canvas. */
export function Timeline({ times, count }: { readonly times: () => Times; readonly count: number }): ComponentChild {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const colours = usePalette();
  const [tip, setTip] = useState<{ readonly text: string; readonly x: number; readonly y: number }>();
  useEffect(() => {
    const [around, drawn] = [box.current, canvas.current];
    if (!around || !drawn) return;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)");
    let before = "";
    let frame = 0;
    const draw = () => {
      frame = requestAnimationFrame(draw);
      const { calls, from, to, version } = times();
      const { clientWidth: width, clientHeight: height, scrollTop } = around;
      // Running items grow in each frame; for people who want no motion, once in a second.
      const end = to ?? (isCalm.matches ? Math.ceil(Date.now() / 1000) * 1000 : Date.now());
      const state = `${version} ${calls.length} ${end} ${width} ${height} ${scrollTop}`;
      if (state === before) return;
      before = state;
      drawn.style.height = `${height}px`;
      const context = clear(drawn, width, height);
      const length = Math.max(1, end - from);
      const place = (time: number) => ((time - from) / length) * (width - 2) + 1;
      const lines: [x: number, text: string][] = [];
      for (let at = 0, step = stepOf(length); at <= length; at += step) {
        lines.push([place(from + at), durationText(at).replace(".0 s", " s")]);
      }
      context.fillStyle = colours["--line"] ?? "";
      for (const [x] of lines) context.fillRect(x, 0, 1, height);
      const row = rowHeight(calls.length);
      const first = Math.floor(scrollTop / row);
      const last = Math.min(calls.length, first + Math.ceil((height - axis) / row) + 1);
      const bar = row > 8 ? row - 3 : row - 1;
      for (let index = first; index < last; index++) {
        const { item } = calls[index] as Call;
        const top = axis + index * row - scrollTop + 1;
        if (top < axis - row) continue;
        context.fillStyle = colours[`--${item.state}`] ?? "";
        if (item.started !== undefined) {
          const left = place(item.started);
          context.fillRect(left, top, Math.max(2, place(item.ended ?? end) - left), bar);
        } else if (item.ended !== undefined) context.fillRect(place(item.ended) - 3, top, 4, bar);
        else {
          context.fillStyle = colours["--line"] ?? "";
          context.fillRect(1, top + bar / 2, width - 2, 1);
        }
      }
      context.fillStyle = colours["--paper"] ?? "";
      context.fillRect(0, 0, width, axis);
      context.font = "11px system-ui, sans-serif";
      context.fillStyle = colours["--dim"] ?? "";
      for (const [x, text] of lines) if (x < width - 50) context.fillText(text, x + 4, 14);
    };
    frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [colours]);
  const row = rowHeight(count);
  const onMouseMove = (event: MouseEvent) => {
    const around = box.current;
    if (!around) return;
    const { top } = around.getBoundingClientRect();
    const call = times().calls[Math.floor((event.clientY - top - axis + around.scrollTop) / row)];
    setTip(
      call && event.clientY - top > axis ? { text: callText(call), x: event.clientX, y: event.clientY } : undefined,
    );
  };
  return h("div", {}, [
    h(
      "div",
      {
        ref: box,
        class: "scroll timeline",
        style: { height: `${Math.min(tallest, axis + count * row + 2)}px` },
        tabIndex: 0,
        role: "region",
        "aria-label": "Timeline of calls",
        onMouseMove,
        onMouseLeave: () => setTip(undefined),
      },
      [
        h("canvas", {
          ref: canvas,
          role: "img",
          "aria-label": `Timeline of ${count} calls. The table of calls has the same content.`,
        }),
        h("div", { class: "tall", style: { height: `${axis + count * row}px` } }),
      ],
    ),
    tip ? h(Tip, { x: tip.x, y: tip.y, children: tip.text }) : null,
  ]);
}

function callText({ batch, item: { index, state, where, error, started, ended } }: Call): string {
  const took = started !== undefined && ended !== undefined ? durationText(ended - started) : undefined;
  const name = batch.isMap ? `${batch.id} ${index}` : batch.id;
  return [name, state, took, where, error].filter((part) => part !== undefined).join(" · ");
}
