/** Maximum nesting of values of users, such as results: Python's own. */
export const maximumValueDepth = 1000;

/**
 * Looks at the text: parsed, a document of 4 MiB of brackets has 200 MiB.
 *
 * @param most values that it may have in all, about: an empty object takes 64 bytes. Default: no limit
 */
export function isDeeper(text: string, than: number, most = Number.POSITIVE_INFINITY): boolean {
  let depth = 0;
  let values = 1;
  let isString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') isString = !isString;
    else if (isString && character === "\\") index++;
    else if (!isString && (character === "[" || character === "{")) [depth, values] = [depth + 1, values + 1];
    else if (!isString && (character === "]" || character === "}")) depth--;
    else if (!isString && character === ",") values++;
    if (depth > than || values > most) return true;
  }
  return false;
}
