/// <reference lib="dom" />
import { type ComponentChild, type ComponentChildren, h } from "preact";
import type { Counts } from "../messages.ts";

/** `120 ms`, `4.2 s`, `2 m 03 s` or `1 h 02 m`. */
export function durationText(milliseconds: number): string {
  const time = Math.max(0, milliseconds);
  if (time < 1000) return `${Math.round(time)} ms`;
  if (time < 60_000) return `${(time / 1000).toFixed(1)} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = Math.round(time / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours} h ${two(minutes)} m` : `${minutes} m ${two(seconds % 60)} s`;
}

/** `2026-11-23 14:05:09`, of this machine's clock. */
export function timeText(time: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = new Date(time);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function shortImage(image: string): string {
  return image.replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/, "$1");
}

export function State({ state, words = state }: { readonly state: string; readonly words?: string }): ComponentChild {
  return h("span", { class: "state", "data-state": state }, words);
}

export function CountBar({ counts }: { readonly counts: Counts }): ComponentChild {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  const shown = (["done", "kept", "failed", "running"] as const).filter((state) => counts[state] > 0);
  return h("div", {}, [
    countWords(counts),
    h(
      "span",
      { class: "share", "aria-hidden": true },
      shown.map((state) =>
        h("i", { key: state, "data-state": state, style: { width: `${(100 * counts[state]) / all}%` } }),
      ),
    ),
  ]);
}

export function countWords(counts: Counts): string {
  const states = (["done", "kept", "failed", "running", "waiting"] as const).filter((state) => counts[state] > 0);
  return states.map((state) => `${counts[state]} ${state}`).join(", ");
}

export type Column<Row> = readonly [
  title: string,
  cell: (row: Row) => ComponentChildren,
  kind?: "number" | "tight" | "code",
];

interface TableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** Undefined: they are not here yet. */
  readonly rows: readonly Row[] | undefined;
  readonly keyOf: (row: Row) => string;
  readonly none?: string;
  /** Another element shows it. */
  readonly problem?: string | undefined;
}

export function Table<Row>({ label, columns, rows, keyOf, none, problem }: TableProps<Row>): ComponentChild {
  if (!rows) return problem ? null : reading;
  if (rows.length === 0 && none !== undefined) return h("p", { class: "dim" }, none);
  return h("table", { "aria-label": label }, [
    h("thead", {}, [
      h(
        "tr",
        {},
        columns.map(([title, , kind]) => h("th", { key: title, scope: "col", class: kind }, title)),
      ),
    ]),
    h(
      "tbody",
      {},
      rows.map((row) =>
        h(
          "tr",
          { key: keyOf(row) },
          columns.map(([title, cell, kind]) => h("td", { key: title, class: kind }, cell(row))),
        ),
      ),
    ),
  ]);
}

interface FactsProps {
  readonly facts: readonly (readonly [name: string, value: ComponentChildren])[];
}

export function Facts({ facts }: FactsProps): ComponentChild {
  const known = facts.filter(([, value]) => value !== undefined && value !== "" && value !== false);
  return h(
    "dl",
    {},
    known.flatMap(([name, value]) => [h("dt", { key: name }, name), h("dd", { key: `${name}=` }, value)]),
  );
}

export const reading = h("p", { class: "dim", role: "status" }, "Reading…");

export function ImageLink({ image }: { readonly image: string }): ComponentChild {
  return h("a", { class: "code", href: `#/images/${encodeURIComponent(image)}` }, image);
}

export function Problem({ text }: { readonly text: string | undefined }): ComponentChild {
  return text ? h("p", { class: "problem", role: "alert" }, text) : null;
}
