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

/** One per line, with the remedy below each problem. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ part }) => part.length));
  const indent = " ".repeat(width + 11);
  return findings
    .flatMap(({ part, state, detail, neededFor, remedy }) => [
      `${state.padEnd(7)}  ${part.padEnd(width)}  ${detail}`,
      ...(state === "ok" ? [] : [`${indent}needed for: ${neededFor}`]),
      ...(state === "ok" || remedy === undefined ? [] : [`${indent}${remedy}`]),
    ])
    .map(printable)
    .join("\n");
}

export function broken(part: Omit<Finding, "state" | "detail">, error: unknown): Finding {
  const { message = "", problem = message, remedy = "" } = error as Partial<UserError>;
  return { ...part, state: "broken", detail: problem, remedy };
}
