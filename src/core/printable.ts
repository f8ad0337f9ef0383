import type { Writable } from "node:stream";

/**
 * Characters that a terminal obeys, and those that nobody sees or that reorder the text around them: controls,
 * bidirectional marks, line and paragraph separators, zero-width and tag characters, lone surrogates. The two that
 * choose between the forms of an emoji stay.
 */
const unprintable = /[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]--[\ufe0e\ufe0f]]/gv;

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Foreign text as one safe line: `\u001b` for ESC. These are JSON's escapes, so JSON stays the same JSON. */
export function printable(text: string): string {
  return text.replace(unprintable, escaped);
}

/** The same for text of several lines: it keeps line feeds and tabs. */
export function printableLines(text: string): string {
  return text.replace(unprintable, (character) => (/[\n\t]/.test(character) ? character : escaped(character)));
}

/** The same with each line but the first indented, so that none of them passes for the next line of who shows it. */
export function indentedLines(text: string): string {
  return printableLines(text).replace(/\n(?! {2})/g, "\n  ");
}

function escaped(character: string): string {
  const known = short[character];
  if (known !== undefined) return known;
  let escapes = "";
  for (let at = 0; at < character.length; at++) {
    escapes += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escapes;
}

/** Makes a stream escape all text that this process writes to it, so that no writer can forget to. Bytes pass. */
export function escapeText(stream: Writable): void {
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
  stream.write = ((chunk: unknown, ...rest: unknown[]) =>
    write(typeof chunk === "string" ? printableLines(chunk) : chunk, ...rest)) as typeof stream.write;
}
