import { styleText } from "node:util";
import type { UserError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";

export interface Finding {
  readonly part: string;
  /** `missing`: fine unless it is required. `broken`: installed, but does not work. */
  readonly state: "ok" | "missing" | "broken";
  readonly detail: string;
  readonly neededFor: string;
  readonly required: boolean;
  readonly remedy?: string;
}

/** Parts are padded to this, since each finding is printed before the next is known. */
const width = 13;
const colors = { ok: "green", missing: "yellow", broken: "red" } as const;

/** A line, and the remedy below a problem. In bytes, since text has its escape sequences escaped. */
export function formatFinding({ part, state, detail, neededFor, remedy }: Finding): Buffer {
  const more = state === "ok" ? [] : [`needed for: ${neededFor}`, ...(remedy ? [remedy] : [])];
  const lines = [`${part.padEnd(width)}  ${detail}`, ...more.map((line) => `${" ".repeat(width + 11)}${line}`)];
  const text = lines.map(printable).join("\n");
  return Buffer.from(`${styleText(colors[state], state.padEnd(7), { stream: process.stdout })}  ${text}\n`);
}

export function broken(part: Omit<Finding, "state" | "detail">, error: unknown): Finding {
  const { message = "", problem = message, remedy = "" } = error as Partial<UserError>;
  return { ...part, state: "broken", detail: problem, remedy };
}
