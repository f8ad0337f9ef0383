/** Fields of one paragraph by lower-case name, in the order they were written. Continuation lines keep their line breaks. */
export type Paragraph = ReadonlyMap<string, string>;

/**
 * Reads paragraphs in the syntax of deb822(5): `Field: value`, continued by lines that start with a blank; `#` starts a comment line.
 * Lines that are none of these are skipped, as apt does with comments between paragraphs.
 */
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

/** The words of a field whose value is a list separated by blanks and line breaks. */
export function words(value: string | undefined): string[] {
  return (value ?? "").split(/\s+/).filter((word) => word !== "");
}
