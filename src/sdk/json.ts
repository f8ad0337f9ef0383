import { Failure, UserError } from "../core/errors.ts";
import { maximumJsonBytes } from "../functions/calls.ts";
import { composeForm, isMarked, wrapped } from "../functions/file-form.ts";
import { FileValue } from "./files.ts";
import { ownPlace } from "./own-place.ts";

/**
 * Values that functions take and return. Declare object types with `type`, not `interface`: TypeScript does not accept
 * an interface here.
 */
export type Json =
  | null
  | boolean
  | number
  | string
  | FileValue
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** Bytes of arguments or a result as JSON. They have to fit into memory a few times. */
export const maximumValue = 256 * 1024 * 1024;

interface Found {
  readonly files: Set<FileValue>;
  /** An object of the user looks like a file in JSON. */
  isMarked: boolean;
}

function problemOf(value: unknown, path: string, above: readonly object[], found: Found): string | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${path} is ${value}`;
  if (typeof value !== "object") return `${path} is ${value === undefined ? "undefined" : `a ${typeof value}`}`;
  if (value instanceof FileValue) {
    found.files.add(value);
    return undefined;
  }
  if (above.includes(value)) return `${path} contains itself`;
  const within = [...above, value];
  if (Array.isArray(value)) return first(value.entries(), (index) => `${path}[${index}]`, within, found);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `${path} is a ${value.constructor?.name ?? "class"}`;
  if (isMarked(value)) found.isMarked = true;
  const present = Object.entries(value).filter(([, member]) => member !== undefined);
  return first(present, (key) => `${path}.${key}`, within, found);
}

function first<K>(
  members: Iterable<[K, unknown]>,
  name: (key: K) => string,
  within: readonly object[],
  found: Found,
): string | undefined {
  for (const [key, member] of members) {
    const problem = problemOf(member, name(key), within, found);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * Writes a value as JSON on one line, and takes the content of its files. Refuses values that JSON would change, such
 * as a Date or NaN.
 *
 * @param subject the value's name in errors, such as `result of "count"`
 * @param isLast files change no more
 * @throws UserError with the path of a value that is not JSON; Failure if the text is too large
 */
export async function encodeJson(value: unknown, subject: string, isLast = false): Promise<string> {
  const found: Found = { files: new Set(), isMarked: false };
  const problem = problemOf(value, "it", [], found);
  if (problem !== undefined) {
    throw new UserError(
      { code: "value-invalid", culprit: subject },
      `The ${subject} is not JSON: ${problem.replace(/^it(?=[.[])/, "")}.`,
      "Pass null, booleans, finite numbers, strings, arrays and plain objects of these, and files and folders.",
    );
  }
  for (const file of found.files) await file.store(isLast);
  const hasForms = found.files.size > 0 || found.isMarked;
  const text = textOf(hasForms ? await withForms(value) : value);
  if (text !== undefined && Buffer.byteLength(text) <= maximumValue) return text;
  throw new Failure(
    { code: "value-invalid", culprit: subject },
    `The ${subject} takes more than ${maximumValue} bytes as JSON.`,
    "Write the data to a file, and pass file(path).",
  );
}

/** Undefined: it is longer than strings can be. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function withForms(value: unknown): Promise<unknown> {
  if (value instanceof FileValue) return composeForm(await value.store(false));
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map(withForms));
  const members = await Promise.all(
    Object.entries(value).map(async ([key, member]) => [key, await withForms(member)] as const),
  );
  const object = Object.fromEntries(members);
  return isMarked(object) ? wrapped(object) : object;
}

/** Puts JSON that is longer than an engine takes beside: what stands for it is short. */
export async function shorten(json: string, limit = maximumJsonBytes): Promise<string> {
  if (Buffer.byteLength(json) <= limit) return json;
  const content = await ownPlace().putText(json);
  return JSON.stringify(composeForm({ kind: "json", name: "", ...content }));
}
