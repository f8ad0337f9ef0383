/** A message in protobuf's text format: its fields in order, each with all its values. */
export type Message = ReadonlyMap<string, readonly Value[]>;
export type Value = string | Message;

const tokens = /\s*(?:(?<name>[\w.]+)\s*(?<colon>:?)|(?<open>\{)|(?<close>\}))/y;
const scalars = /\s*(?:"(?<text>(?:[^"\\]|\\.)*)"|(?<word>[\w.+-]+))/y;

/**
 * Reads what Bazel's `starlark_doc_extract` writes as NAME.textproto.
 *
 * @throws Error when the text is not in that format
 */
export function parseTextProto(text: string): Message {
  let at = 0;
  const next = (expression: RegExp) => {
    expression.lastIndex = at;
    const found = expression.exec(text);
    if (found) at = expression.lastIndex;
    return found?.groups;
  };
  const message = (nested: boolean): Message => {
    const fields = new Map<string, Value[]>();
    for (;;) {
      const token = next(tokens);
      if (token === undefined && !nested && text.slice(at).trim() === "") return fields;
      if (token?.["close"] && nested) return fields;
      const name = token?.["name"];
      if (name === undefined) throw new Error(`Not a field: ${text.slice(at, at + 80)}`);
      const values = fields.get(name) ?? [];
      values.push(token?.["colon"] ? scalar() : open());
      fields.set(name, values);
    }
  };
  const scalar = (): string => {
    const found = next(scalars);
    if (found === undefined) throw new Error(`Not a value: ${text.slice(at, at + 80)}`);
    return found["word"] ?? unescapeBytes(found["text"] ?? "");
  };
  const open = (): Message => {
    if (!next(tokens)?.["open"]) throw new Error(`Not a message: ${text.slice(at, at + 80)}`);
    return message(true);
  };
  return message(false);
}

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9 };

/** Text outside of ASCII is written as its bytes, in octal. */
function unescapeBytes(text: string): string {
  const bytes = [...text.matchAll(/\\([0-7]{3})|\\(.)|[^\\]+/gs)].map(([all, octal, letter]) => {
    if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8));
    if (letter !== undefined) return Buffer.of(escapes[letter] ?? letter.charCodeAt(0));
    return Buffer.from(all);
  });
  return encodedOnce(Buffer.concat(bytes).toString());
}

/** Up to version 7, Bazel takes the bytes of a source file for Latin-1, and encodes them once more. */
function encodedOnce(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  const decoded = bytes.toString();
  return bytes.toString("latin1") === text && !decoded.includes("\ufffd") ? decoded : text;
}

export function textOf(message: Message, name: string): string {
  const value = message.get(name)?.[0];
  return typeof value === "string" ? value : "";
}

export function messagesOf(message: Message, name: string): Message[] {
  return (message.get(name) ?? []).filter((value) => typeof value !== "string");
}
