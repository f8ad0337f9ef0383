// Part of the public types of the package `slipway`, so it uses no Node types.
import { isDigest } from "../oci/digest.ts";

/** A file, a folder or a large value in the JSON of arguments and results. Its content is stored by its digest. */
export interface FileForm {
  /** `folder`: the content is a tar archive. `value`: a value that is too large for a frame. */
  readonly kind: "file" | "folder" | "value";
  readonly digest: `sha256:${string}`;
  readonly size: number;
  /** Of its path. Empty for `value`. */
  readonly name: string;
}

/** The key of an object that is no object of the user: see "Values" in docs/worker-protocol.md. */
export const mark = "$slipway";
const kinds = ["file", "folder", "value"];

export type Marked = Readonly<Record<string, unknown>>;

export function isMarked(value: object): boolean {
  return Object.hasOwn(value, mark);
}

export function composeForm({ kind, digest, size, name }: FileForm): Marked {
  return { [mark]: kind, digest, ...(kind === "value" ? {} : { name }), size };
}

export function wrapped(value: Marked): Marked {
  return { [mark]: "object", value };
}

/** Also unwraps what {@link wrapped} made. @throws RangeError for an object that no version of Slipway wrote */
export function replaceMarked(value: unknown, replace: (object: Marked) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => replaceMarked(member, replace));
  const object = value as Marked;
  if (!isMarked(object)) return replaceMembers(object, replace);
  if (object[mark] !== "object") return replace(object);
  const inner = object["value"];
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) throw new RangeError("wraps no object");
  return replaceMembers(inner as Marked, replace);
}

function replaceMembers(object: Marked, replace: (object: Marked) => unknown): object {
  // Not by assignment: a key may be `__proto__`.
  return Object.fromEntries(Object.entries(object).map(([key, member]) => [key, replaceMarked(member, replace)]));
}

/** Undefined: it stands for something else. @throws RangeError for a file that no version of Slipway wrote */
export function formOf({ [mark]: kind, digest, size, name = "" }: Marked): FileForm | undefined {
  if (!kinds.includes(String(kind))) return undefined;
  const isName = typeof name === "string" && !/[/\0]/.test(name) && name !== "." && name !== "..";
  const isRight = isDigest(digest) && digest.startsWith("sha256:") && Number.isSafeInteger(size) && Number(size) >= 0;
  if (!isRight || !isName) throw new RangeError("has a file of unknown form");
  return { kind: kind as FileForm["kind"], digest: digest as FileForm["digest"], size: size as number, name };
}

/** Each digest once. */
export function formsIn(json: string): readonly FileForm[] {
  if (!json.includes(`"${mark}"`)) return [];
  const found = new Map<string, FileForm>();
  replaceMarked(JSON.parse(json), (object) => {
    const form = formOf(object);
    if (form) found.set(form.digest, form);
  });
  return [...found.values()];
}
