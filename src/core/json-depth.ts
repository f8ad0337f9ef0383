/** Maximum nesting of values of users, such as results: Python's own. */
export const maximumValueDepth = 1000;

/** Looks at the text: parsed, a document of 4 MiB of brackets has 200 MiB. */
export function isDeeper(text: string, than: number): boolean {
  let depth = 0;
  let isString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') isString = !isString;
    else if (isString && character === "\\") index++;
    else if (!isString && (character === "[" || character === "{")) depth++;
    else if (!isString && (character === "]" || character === "}")) depth--;
    if (depth > than) return true;
  }
  return false;
}
