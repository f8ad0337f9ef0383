/** What the doctor finds of one part of the machine. */
export interface Finding {
  readonly part: string;
  /** `missing`: not there, and nothing is wrong with that unless it is required. `broken`: there, and does not work. */
  readonly state: "ok" | "missing" | "broken";
  /** One line: what is there, or what is wrong. */
  readonly detail: string;
  /** What does not work without it. */
  readonly neededFor: string;
  /** Whether nothing works without it. */
  readonly required: boolean;
  /** The command, or step, that brings or repairs it. */
  readonly remedy?: string;
}

/** The findings as text for people: a line each, and what to do below what is not in order. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ part }) => part.length));
  const indent = " ".repeat(width + 11);
  return findings
    .flatMap(({ part, state, detail, neededFor, remedy }) => [
      `${state.padEnd(7)}  ${part.padEnd(width)}  ${detail}`,
      ...(state === "ok" ? [] : [`${indent}needed for: ${neededFor}`]),
      ...(state === "ok" || remedy === undefined ? [] : [`${indent}${remedy}`]),
    ])
    .join("\n");
}
