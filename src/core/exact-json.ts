/** TC39's "JSON.parse source text access", which its types do not know yet. */
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** May match a number that JavaScript would write in another way: many digits, `1.0`, `1e9`, `-0`. */
const unusual = /\d{16}|\.\d*0\b|\d[eE]|-0/;

/** For JSON that is handed on: numbers stay as written, also those that JavaScript lacks, as `JSON.rawJSON` objects. */
export function parseExactly<Value>(text: string): Value {
  if (!unusual.test(text)) return JSON.parse(text) as Value;
  const json = JSON as unknown as ExactJson;
  return json.parse(text, (_, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  ) as Value;
}
