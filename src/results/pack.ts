import { isDeeper, maximumValueDepth } from "../core/json-depth.ts";
import type { ResultScope } from "./key.ts";

export interface KeptResult {
  readonly key: string;
  /** JSON on one line, as the function's process sent it. Empty: the function returned nothing. */
  readonly result: string;
}

/** Bytes: one result of the maximum size, and its key. */
export const maximumPack = 17 * 1024 * 1024;

const schema = 1;

/** One line of JSON with the scope, then a key, a space and a result each. Unparsed: Python has larger integers. */
export function encodePack(scope: ResultScope, results: readonly KeptResult[]): Buffer {
  const header = JSON.stringify({ schema, function: scope.function, version: scope.version });
  const lines = results.map(({ key, result }) => {
    if (result.includes("\n")) throw new RangeError(`result ${key} has more than one line`);
    return `${key} ${result}\n`;
  });
  return Buffer.from(`${header}\n${lines.join("")}`);
}

/** Trusts nobody. Returns the results, or what is wrong with the pack. */
export function parsePack(bytes: Uint8Array, scope: ResultScope): readonly KeptResult[] | string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "is not UTF-8";
  }
  const [header = "", ...lines] = text.split("\n");
  if (lines.pop() !== "") return "ends in the middle of a line";
  const named = parsed(header) as { readonly [name: string]: unknown } | null | undefined;
  if (typeof named !== "object" || named === null || named["schema"] !== schema) return "has no known schema";
  if (named["function"] !== scope.function || named["version"] !== scope.version) return "is of another function";
  const results: KeptResult[] = [];
  for (const line of lines) {
    const [, key, result = ""] = /^([0-9a-f]{64}) (.*)$/s.exec(line) ?? [];
    if (key === undefined) return "has a line without a key";
    if (result !== "" && parsed(result) === undefined) return `has a result that is not JSON: ${key}`;
    if (isDeeper(result, maximumValueDepth))
      return `has a result with more than ${maximumValueDepth} nested values: ${key}`;
    results.push({ key, result });
  }
  return results;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
