import { Failure, UserError } from "../core/errors.ts";
import { maximumJsonBytes } from "../engine/calls/calls.ts";

/**
 * Values that functions take and return. Declare object types with `type`, not `interface`: TypeScript does not accept an interface
 * here.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

function problemOf(value: unknown, path: string, above: readonly object[]): string | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (typeof value !== "object") return `${path} is ${value === undefined ? "undefined" : `a ${typeof value}`}`;
  if (above.includes(value)) return `${path} contains itself`;
  const within = [...above, value];
  if (Array.isArray(value)) return first(value.entries(), (index) => `${path}[${index}]`, within);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `${path} is a ${value.constructor?.name ?? "class"}`;
  const present = Object.entries(value).filter(([, member]) => member !== undefined);
  return first(present, (key) => `${path}.${key}`, within);
}

function first<K>(members: Iterable<[K, unknown]>, name: (key: K) => string, within: readonly object[]) {
  for (const [key, member] of members) {
    const problem = problemOf(member, name(key), within);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Writes a value as JSON on one line. Refuses values that JSON would change, such as a Date or NaN, and values that are too large.
 * Omits members of objects that are undefined.
 *
 * @param subject the value's name in errors, such as `result of "count"`
 * @param limit maximum size in bytes
 * @throws UserError with the path of a value that is not JSON; Failure if the text exceeds the limit
 */
export function encodeJson(value: unknown, subject: string, limit = maximumJsonBytes): string {
  const problem = problemOf(value, "it", []);
  if (problem !== undefined) {
    throw new UserError(
      { code: "value-invalid", culprit: subject },
      `The ${subject} is not JSON: ${problem.replace(/^it(?=[.[])/, "")}.`,
      "Pass null, booleans, finite numbers, strings, arrays and plain objects of these.",
    );
  }
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) {
    throw new Failure(
      { code: "value-invalid", culprit: subject },
      `The ${subject} takes ${bytes} bytes as JSON; at most ${limit} are allowed.`,
      "Store the data where both sides can read it, and pass its name.",
    );
  }
  return text;
}
