/**
 * What a terminal shows after it was written to: as much of ECMA-48 as progress lines use. Lines that are too long
 * go on in the next one,
 * as they do on a terminal.
 */
export function screenOf(text: string, columns: number): string[] {
  const rows: string[] = [""];
  let row = 0;
  let column = 0;
  const put = (character: string) => {
    if (column === columns) {
      row++;
      column = 0;
    }
    while (rows.length <= row) rows.push("");
    const line = (rows[row] ?? "").padEnd(column);
    rows[row] = line.slice(0, column) + character + line.slice(column + 1);
    column++;
  };
  for (const [part, count, command] of text.matchAll(/\u001b\[(\d*)([A-Z])|[\s\S]/g)) {
    if (part === "\r") column = 0;
    else if (part === "\n") {
      row++;
      column = 0;
      while (rows.length <= row) rows.push("");
    } else if (command === "A") row = Math.max(0, row - Number(count || 1));
    else if (command === "K") rows[row] = (rows[row] ?? "").slice(0, column);
    else if (command === "J") {
      rows[row] = (rows[row] ?? "").slice(0, column);
      rows.length = row + 1;
    } else if (command === undefined) put(part);
    else throw new Error(`unknown: ${JSON.stringify(part)}`);
  }
  return rows;
}
