import { type Digest, sha256, splitDigest } from "../oci/digest.ts";

/** Results are right for this function in this version only. */
export interface ResultScope {
  readonly function: string;
  /** The user's `version`, or the digest of the image's layers. */
  readonly version: string;
}

/** Change it when the same function, arguments and version no longer mean the same result. */
const format = "slipway result 1";

/** 32 hex digits, part of a tag. */
export function scopeKey({ function: name, version }: ResultScope): string {
  return hexOf(sha256(JSON.stringify([format, name, version]))).slice(0, 32);
}

/** 64 hex digits for the JSON `input`, in any order of keys. @throws RangeError if it is nested too deeply */
export function resultKey({ function: name, version }: ResultScope, input: string): string {
  return hexOf(sha256(`${JSON.stringify([format, name, version])}\n${canonicalText(input)}`));
}

function hexOf(digest: Digest): string {
  return splitDigest(digest).hex;
}

/** Python has integers that JavaScript would round to the same one. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** TC39's "JSON.parse source text access", which its types do not know yet. */
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

/** With sorted keys and without white space. Numbers stay as they are written. */
function canonicalText(text: string): string {
  return write(
    (JSON.parse as ParseWithSource)(text, (_, value, { source }) =>
      typeof value === "number" && source !== undefined ? new NumberText(source) : value,
    ),
  );
}

function write(value: unknown): string {
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${write(item)}`).join(",")}}`;
}
