/** Maximum nesting of values of users, such as results: Python's own. */
export const maximumValueDepth = 1000;

const [quote = 0, backslash = 0, comma = 0, bracket = 0, brace = 0, bracketEnd = 0, braceEnd = 0] =
  Buffer.from('"\\,[{]}');

/**
 * Looks at the text, or its bytes in UTF-8: parsed, a document of 4 MiB of brackets has 200 MiB.
 *
 * @param most values that it may have in all, about: an empty object takes 64 bytes. Default: no limit
 */
export function isDeeper(text: string | Uint8Array, than: number, most = Number.POSITIVE_INFINITY): boolean {
  let depth = 0;
  let values = 1;
  let isString = false;
  for (let index = 0; index < text.length; index++) {
    const code = typeof text === "string" ? text.charCodeAt(index) : (text[index] as number);
    if (code === quote) isString = !isString;
    else if (isString && code === backslash) index++;
    else if (!isString && (code === bracket || code === brace)) [depth, values] = [depth + 1, values + 1];
    else if (!isString && (code === bracketEnd || code === braceEnd)) depth--;
    else if (!isString && code === comma) values++;
    if (depth > than || values > most) return true;
  }
  return false;
}
