/** One job of the matrix. */
export interface Ran {
  readonly interpreter: string;
  readonly code: string;
  readonly engine: string;
  /** From the command to its end. */
  readonly seconds: number;
}

/** What ran where, as Markdown: a line for each interpreter and kind of code, seconds by engine. */
export function tableOf(ran: readonly Ran[], engines: readonly string[]): string {
  const rows = [...new Set(ran.map(({ interpreter, code }) => `${interpreter} | ${code}`))];
  const cell = (row: string, engine: string) => {
    const found = ran.find((each) => `${each.interpreter} | ${each.code}` === row && each.engine === engine);
    return found === undefined ? "" : `${found.seconds.toFixed(1)} s`;
  };
  return [
    `| interpreter | code | ${engines.join(" | ")} |`,
    `|---|---|${engines.map(() => "---").join("|")}|`,
    ...rows.map((row) => `| ${row} | ${engines.map((engine) => cell(row, engine)).join(" | ")} |`),
  ].join("\n");
}
