import { Failure, UserError } from "../core/errors.ts";
import { isDeeper, maximumValueDepth } from "../core/json-depth.ts";
import {
  composeForm,
  type FileForm,
  formOf,
  isMarked,
  type Marked,
  mark,
  replaceMarked,
  wrapped,
} from "../functions/file-form.ts";
import type { Bodies } from "../functions/frames.ts";
import { FileValue } from "./files.ts";
import { arrayOf, arrayTypeOf, NumberArray } from "./number-array.ts";
import { ownPlace } from "./own-place.ts";

/** Bytes of a value. It has to fit into memory a few times. */
const maximumValue = 256 * 1024 * 1024;
/** Bytes of a value that stays in its frame. */
const longestInFrame = 16 * 1024 * 1024;
const isMark = Buffer.from(`"${mark}"`);

/** Why a value cannot be handed on. `path` is put together on the way out, so it costs nothing where all is well. */
interface Mistake {
  path: string;
  readonly problem: string;
}

class Encoder {
  readonly files = new Set<FileValue>();
  readonly attachments: Uint8Array[] = [];
  /** It is JSON as it stands. */
  isPlain = true;

  mistakeIn(value: unknown, above: readonly object[]): Mistake | undefined {
    if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
    if (typeof value === "number") {
      if (!Number.isFinite(value) || Object.is(value, -0)) this.isPlain = false;
      return undefined;
    }
    if (typeof value === "bigint") return this.#special();
    if (typeof value !== "object") return mistake(value === undefined ? "is undefined" : `is a ${typeof value}`);
    if (above.includes(value)) return mistake("contains itself");
    if (above.length > maximumValueDepth) return mistake(`is nested more than ${maximumValueDepth} deep`);
    if (Array.isArray(value)) return this.#firstMistake(value.entries(), [...above, value], (key) => `[${key}]`);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      if (isMarked(value)) this.isPlain = false;
      const present = Object.entries(value).filter(([, member]) => member !== undefined);
      return this.#firstMistake(present, [...above, value], (key) => `.${key}`);
    }
    if (value instanceof FileValue) this.files.add(value);
    else if (value instanceof Date) {
      if (Number.isNaN(value.getTime())) return mistake("is a Date of no time");
    } else if (!(value instanceof NumberArray) && arrayTypeOf(value) === undefined)
      return mistake(`is a ${value.constructor?.name ?? "class"}`);
    return this.#special();
  }

  #special(): undefined {
    this.isPlain = false;
  }

  #firstMistake<Key>(
    members: Iterable<[Key, unknown]>,
    within: readonly object[],
    name: (key: Key) => string,
  ): Mistake | undefined {
    for (const [key, member] of members) {
      const found = this.mistakeIn(member, within);
      if (found === undefined) continue;
      found.path = `${name(key)}${found.path}`;
      return found;
    }
    return undefined;
  }

  /** Files have been stored. */
  marked(value: unknown): unknown {
    if (typeof value === "number") {
      if (Number.isFinite(value) && !Object.is(value, -0)) return value;
      return { [mark]: "number", value: Object.is(value, -0) ? "-0" : String(value) };
    }
    if (typeof value === "bigint") return { [mark]: "integer", value: String(value) };
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof FileValue) return composeForm(value.form);
    if (value instanceof Date) return { [mark]: "date", value: value.toISOString() };
    if (Array.isArray(value)) return value.map((member) => this.marked(member));
    if (value instanceof NumberArray) return this.#array(value.data as unknown as Uint8Array, value.shape);
    if (ArrayBuffer.isView(value)) return this.#array(value as Uint8Array, undefined);
    const members = Object.entries(value).map(([key, member]) => [key, this.marked(member)] as const);
    const object = Object.fromEntries(members);
    return isMarked(object) ? wrapped(object) : object;
  }

  #array(view: Uint8Array, shape: readonly number[] | undefined): Marked {
    this.attachments.push(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    const at = this.attachments.length;
    const type = arrayTypeOf(view);
    if (type === "bytes" && shape === undefined) return { [mark]: "bytes", at };
    return { [mark]: "array", type: type === "bytes" ? "uint8" : type, shape: shape ?? [view.length], at };
  }
}

function mistake(problem: string): Mistake {
  return { path: "", problem };
}

/**
 * The bodies of a value: JSON, and bytes beside it. Takes the content of its files.
 *
 * @param subject the value's name in errors, such as `result of "count"`
 * @param isLast files change no more
 * @throws UserError with the path of what cannot be handed on; Failure if it is too large
 */
export function encodeValue(value: unknown, subject: string, isLast = false): Bodies | Promise<Bodies> {
  const encoder = new Encoder();
  const found = encoder.mistakeIn(value, []);
  if (found !== undefined) {
    throw new UserError(
      { code: "value-invalid", culprit: subject },
      `The ${subject} cannot be handed on: ${found.path || "it"} ${found.problem}.`,
      "Pass null, booleans, numbers, bigints, strings, Dates, typed arrays, arrays and plain objects of these, and files and folders.",
    );
  }
  if (encoder.isPlain) {
    const text = textOf(value, subject);
    // Characters have at most three bytes.
    return text.length * 3 <= longestInFrame ? [Buffer.from(text)] : fitted([Buffer.from(text)], subject);
  }
  if (encoder.files.size === 0) return fitted(bodiesOf(encoder, value, subject), subject);
  return (async () => {
    for (const file of encoder.files) await file.store(isLast);
    return fitted(bodiesOf(encoder, value, subject), subject);
  })();
}

/** The argument list of one item's call. */
export function encodeItem(item: unknown, index: number, name: string): Bodies | Promise<Bodies> {
  return encodeValue([item], `item ${index} for ${JSON.stringify(name)}`);
}

function bodiesOf(encoder: Encoder, value: unknown, subject: string): Bodies {
  const marked = encoder.marked(value);
  return [Buffer.from(textOf(marked, subject)), ...encoder.attachments];
}

function fitted(bodies: Bodies, subject: string): Bodies | Promise<Bodies> {
  const size = bodies.reduce((sum, { length }) => sum + length, 0);
  if (size > maximumValue) throw tooLarge(subject);
  if (size <= longestInFrame) return bodies;
  const sizes = Buffer.from(`${JSON.stringify(bodies.map(({ length }) => length))}\n`);
  return ownPlace()
    .putPieces([sizes, ...bodies])
    .then((content) => [Buffer.from(JSON.stringify(composeForm({ kind: "value", name: "", ...content })))]);
}

function textOf(value: unknown, subject: string): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // It is longer than strings can be.
    if (error instanceof RangeError) throw tooLarge(subject);
    throw error;
  }
}

function tooLarge(subject: string): Failure {
  return new Failure(
    { code: "value-invalid", culprit: subject },
    `The ${subject} takes more than ${maximumValue} bytes.`,
    "Write the data to a file, and pass file(path).",
  );
}

function foreign(problem: string): Failure {
  const words = `A value that came from a function ${problem}.`;
  return new Failure({ code: "function-failed", culprit: "value" }, words, "Build the image again.");
}

/** The value of bodies, which come from another process. @throws Failure if they are damaged or content is gone */
export function decodeValue(bodies: readonly Buffer[]): unknown {
  const [json] = bodies;
  if (json === undefined) return undefined;
  const value = parsed(json);
  if (!json.includes(isMark)) return value;
  try {
    const form = isForm(value);
    return form?.kind === "value" ? readValue(form) : replaceMarked(value, (object) => unmarked(object, bodies));
  } catch (error) {
    throw error instanceof RangeError || error instanceof SyntaxError ? foreign(error.message) : error;
  }
}

function parsed(json: Buffer): unknown {
  const text = json.toString();
  if (text.length > maximumValueDepth && isDeeper(text, maximumValueDepth))
    throw foreign(`has more than ${maximumValueDepth} nested values`);
  try {
    return JSON.parse(text);
  } catch {
    throw foreign("is not JSON");
  }
}

function isForm(value: unknown): FileForm | undefined {
  if (typeof value !== "object" || value === null || !isMarked(value)) return undefined;
  try {
    return formOf(value as Marked);
  } catch (error) {
    throw foreign((error as RangeError).message);
  }
}

async function readValue(form: FileForm): Promise<unknown> {
  // The line of sizes is short.
  if (form.size > maximumValue + 4096) throw foreign(`has ${form.size} bytes, more than ${maximumValue}`);
  const content = await ownPlace().read(form);
  const end = content.indexOf(10);
  let position = end + 1;
  const sizes = parsed(content.subarray(0, position));
  if (!Array.isArray(sizes) || !sizes.every((size) => Number.isSafeInteger(size) && size >= 0))
    throw foreign("has wrong sizes");
  const bodies = sizes.map((size: number) => {
    position += size;
    return content.subarray(position - size, position);
  });
  const value = parsed(bodies[0] ?? Buffer.alloc(0));
  // A value in a value in a value would never end.
  if (position !== content.length || isForm(value)?.kind === "value") throw foreign("has another form");
  return decodeValue(bodies);
}

/** @throws RangeError for what no version of Slipway wrote */
function unmarked(object: Marked, bodies: readonly Buffer[]): unknown {
  const form = formOf(object);
  if (form !== undefined) return new FileValue(form);
  const { [mark]: kind, value, type, shape, at } = object;
  const text = String(value);
  if (kind === "number" && /^(NaN|-?Infinity|-0)$/.test(text)) return Number(text);
  if (kind === "integer" && /^-?\d{1,100000}$/.test(text)) return BigInt(text);
  if (kind === "date" && !Number.isNaN(Date.parse(text))) return new Date(text);
  const bytes = typeof at === "number" && at > 0 ? bodies[at] : undefined;
  if (kind === "bytes" && bytes) return new Uint8Array(bytes);
  const array = kind === "array" && bytes ? arrayOf(type, shape, bytes) : undefined;
  if (array === undefined) throw new RangeError(`has a ${String(kind)} of unknown form`);
  return array;
}

/** Arguments as a function gets them: its files are on this machine. */
export function decodeArguments(bodies: readonly Buffer[]): unknown[] | Promise<unknown[]> {
  const value = decodeValue(bodies);
  if (!(value instanceof Promise) && !bodies[0]?.includes(isMark)) return value as unknown[];
  return (async () => {
    const list = (await value) as unknown[];
    for (const file of filesIn(list)) await file.prepare();
    return list;
  })();
}

function* filesIn(value: unknown): Generator<FileValue> {
  if (value instanceof FileValue) yield value;
  else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value))
    for (const member of Object.values(value)) yield* filesIn(member);
}
