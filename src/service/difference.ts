import { isDeepStrictEqual } from "node:util";
import { formatPath } from "../deployment/document.ts";

/** Fields and annotations that a cluster and its controllers note on an object. */
const bookkeeping: ReadonlySet<string> = new Set([
  "annotations",
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
]);

/** The fields in which two states of an object differ, as `spec.template.spec.containers[0].image`; status left out. Sorted. */
export function changedFields(before: object, after: object): string[] {
  return differences(essence(before), essence(after), []).sort();
}

function essence(object: object): object {
  const { status: _, metadata = {}, ...rest } = object as { status?: unknown; metadata?: object };
  const kept = Object.entries(metadata).filter(([name]) => !bookkeeping.has(name));
  return { ...rest, metadata: Object.fromEntries(kept) };
}

function differences(before: unknown, after: unknown, path: readonly PropertyKey[]): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => differences(item, after[index], [...path, index]));
  }
  if (!isGroup(before) || !isGroup(after)) return [formatPath(path)];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(before[name], after[name], [...path, name]));
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
