import { isDeepStrictEqual } from "node:util";
import { formatPath } from "../config/document.ts";

/** Fields and annotations that a cluster and its controllers note on an object. */
const bookkeeping: ReadonlySet<string> = new Set([
  "annotations",
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
]);

/** A field that two states of an object have differently. */
export interface Difference {
  /** As `spec.template.spec.containers[0].image`. */
  readonly field: string;
  /** Undefined: it was not there. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A difference that may be shown: values of variables are left out, wherever they are. */
export function withoutVariables(difference: Difference): Difference {
  const { field } = difference;
  if (/(^|\.)env\b/.test(field)) return { field };
  const entries = Object.entries(difference).map(([name, value]) => [name, namesAlone(value)]);
  return { ...(Object.fromEntries(entries) as Omit<Difference, "field">), field };
}

/** A part of an object in which variables have only their names. */
function namesAlone(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(namesAlone);
  if (!isGroup(part)) return part;
  const names = (env: unknown) => (Array.isArray(env) ? env.map((each: { readonly name?: string }) => each.name) : env);
  return Object.fromEntries(
    Object.entries(part).map(([name, value]) => [name, name === "env" ? names(value) : namesAlone(value)]),
  );
}

/** The fields in which two states of an object differ, status left out. Sorted. */
export function changedFields(before: object, after: object): string[] {
  return differencesOf(before, after).map(({ field }) => field);
}

/** As {@link changedFields}, with both values. */
export function differencesOf(before: object, after: object): Difference[] {
  return differences(essence(before), essence(after), []).sort((one, other) => (one.field < other.field ? -1 : 1));
}

function essence(object: object): object {
  const { status: _, metadata = {}, ...rest } = object as { status?: unknown; metadata?: object };
  const kept = Object.entries(metadata).filter(([name]) => !bookkeeping.has(name));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

function differences(before: unknown, after: unknown, path: readonly PropertyKey[]): Difference[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => differences(item, after[index], [...path, index]));
  }
  if (!isGroup(before) || !isGroup(after)) return [{ field: formatPath(path), before, after }];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(before[name], after[name], [...path, name]));
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
