/** By lower-case name, in the order of the text. Continuation lines keep their line breaks. */
export type Paragraph = ReadonlyMap<string, string>;

/** Real paragraphs have about 30. */
const mostFields = 1000;

/** deb822(5). Other lines are skipped, as apt does with comments between paragraphs. */
export function* parseParagraphs(text: string): Generator<Paragraph, undefined> {
  let current = new Map<string, string>();
  let field: string | undefined;
  // Neither all lines nor all paragraphs at once: foreign text of 16 MiB took 1.1 GB.
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at += line.length + 1;
    if (line.trim() === "") {
      if (current.size > 0) yield current;
      current = new Map();
      field = undefined;
    } else if (line.startsWith("#")) {
    } else if (line.startsWith(" ") || line.startsWith("\t")) {
      if (field !== undefined) current.set(field, `${current.get(field)}\n${line.trimEnd()}`);
    } else {
      const colon = line.indexOf(":");
      if (colon < 1 || current.size === mostFields) continue;
      field = line.slice(0, colon).toLowerCase();
      current.set(field, line.slice(colon + 1).trim());
    }
  }
  if (current.size > 0) yield current;
}

export function words(value: string | undefined): string[] {
  return (value ?? "").split(/\s+/).filter((word) => word !== "");
}
