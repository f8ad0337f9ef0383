/**
 * A table of Markdown; empty where it has no rows. In a cell, what begins with a name after a sentence has a line of
 * its own.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return `${[line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n")}\n`;
}

function cell(text: string): string {
  return text
    .trim()
    .replace(/([.:])\n\s*(?=`)/g, "$1<br>")
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
}

/** Parts of a page with an empty line between them. */
export function sections(...parts: readonly string[]): string {
  const present = parts.map((part) => part.trim()).filter((part) => part !== "");
  return `${present.join("\n\n")}\n`;
}

export const code = (text: string): string => (text === "" ? "" : `\`${text}\``);
