/** By lower-case name, in the order of the text. Continuation lines keep their line breaks. */
export type Paragraph = ReadonlyMap<string, string>;

/** deb822(5). Other lines are skipped, as apt does with comments between paragraphs. */
export function parseParagraphs(text: string): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let current = new Map<string, string>();
  let field: string | undefined;
  for (const line of text.split("\n")) {
    if (line.trim() === "") {
      if (current.size > 0) paragraphs.push(current);
      current = new Map();
      field = undefined;
    } else if (line.startsWith("#")) {
    } else if (line.startsWith(" ") || line.startsWith("\t")) {
      if (field !== undefined) current.set(field, `${current.get(field)}\n${line.trimEnd()}`);
    } else {
      const colon = line.indexOf(":");
      if (colon < 1) continue;
      field = line.slice(0, colon).toLowerCase();
      current.set(field, line.slice(colon + 1).trim());
    }
  }
  if (current.size > 0) paragraphs.push(current);
  return paragraphs;
}

export function words(value: string | undefined): string[] {
  return (value ?? "").split(/\s+/).filter((word) => word !== "");
}
