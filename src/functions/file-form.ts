// Part of the public types of the package `slipway`, so it uses no Node types.
import { isDigest } from "../oci/digest.ts";

/** A file, a folder or a large value in the JSON of arguments and results. Its content is stored by its digest. */
export interface FileForm {
  /** `folder`: the content is a tar archive. `json`: a large value. */
  readonly kind: "file" | "folder" | "json";
  readonly digest: `sha256:${string}`;
  readonly size: number;
  /** Of its path. Empty for `json`. */
  readonly name: string;
}

/**
 * The key of a {@link FileForm}: `{"$slipway":"file","digest":…,"name":…,"size":…}`. A user's object with this key is
 * wrapped: `{"$slipway":"object","value":{…}}`. Keep python/slipway/_files.py the same.
 */
const mark = "$slipway";
const kinds = ["file", "folder", "json"];

type JsonObject = Readonly<Record<string, unknown>>;

export function isMarked(value: object): boolean {
  return Object.hasOwn(value, mark);
}

export function composeForm({ kind, digest, size, name }: FileForm): JsonObject {
  return { [mark]: kind, digest, ...(kind === "json" ? {} : { name }), size };
}

export function wrapped(value: JsonObject): JsonObject {
  return { [mark]: "object", value };
}

/** Also unwraps what {@link wrapped} made. @throws RangeError for a form that no version of Slipway wrote */
export function replaceForms(value: unknown, replace: (form: FileForm) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => replaceForms(member, replace));
  const object = value as JsonObject;
  if (!isMarked(object)) return replaceMembers(object, replace);
  if (object[mark] !== "object") return replace(parseForm(object));
  const inner = object["value"];
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) throw new RangeError("wraps no object");
  return replaceMembers(inner as JsonObject, replace);
}

function replaceMembers(object: JsonObject, replace: (form: FileForm) => unknown): object {
  // Not by assignment: a key may be `__proto__`.
  return Object.fromEntries(Object.entries(object).map(([key, member]) => [key, replaceForms(member, replace)]));
}

function parseForm({ [mark]: kind, digest, size, name = "" }: JsonObject): FileForm {
  const isName = typeof name === "string" && !/[/\0]/.test(name) && name !== "." && name !== "..";
  const isRight = isDigest(digest) && digest.startsWith("sha256:") && Number.isSafeInteger(size) && Number(size) >= 0;
  if (!kinds.includes(String(kind)) || !isRight || !isName) throw new RangeError(`has a file of unknown form`);
  return { kind: kind as FileForm["kind"], digest: digest as FileForm["digest"], size: size as number, name };
}

/** Each digest once. */
export function formsIn(json: string): readonly FileForm[] {
  if (!json.includes(`"${mark}"`)) return [];
  const found = new Map<string, FileForm>();
  replaceForms(JSON.parse(json), (form) => found.set(form.digest, form));
  return [...found.values()];
}
