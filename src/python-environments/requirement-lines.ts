/** A line of a requirements file, and where it begins. */
interface RequirementLine {
  readonly text: string;
  readonly line: number;
}

/** Where Python's `str.splitlines` divides a text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: some of them are control characters
const lineEnds = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

export function isOneLine(text: string): boolean {
  return !lineEnds.test(text);
}

/** Lines as pip reads them: continued after a backslash, without comments. */
export function requirementLines(text: string): RequirementLine[] {
  const lines: RequirementLine[] = [];
  let open: { text: string; line: number } | undefined;
  for (const [index, raw] of text.split(lineEnds).entries()) {
    open ??= { text: "", line: index + 1 };
    const isComment = /^\s*#/.test(raw);
    const isContinued = raw.endsWith("\\") && !isComment;
    open.text += isComment ? "" : isContinued ? raw.slice(0, -1) : raw;
    if (isContinued) continue;
    const content = open.text.replace(/(^|\s)#.*$/, "").trim();
    if (content !== "") lines.push({ text: content, line: open.line });
    open = undefined;
  }
  if (open && open.text.trim() !== "") lines.push({ text: open.text.trim(), line: open.line });
  return lines;
}

/** The file that a line includes: `-r FILE`, `-c FILE`. */
export function includedFile(text: string): { readonly file: string; readonly isConstraint: boolean } | undefined {
  const [, option, file] = /^(-r|-c|--requirement|--constraint)(?:\s*=\s*|\s+|(?<=^-[rc]))(\S+)$/.exec(text) ?? [];
  return option === undefined || file === undefined ? undefined : { file, isConstraint: /c/.test(option) };
}
