import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../core/is-record.ts";
import { formatPath } from "./document.ts";

export interface Difference {
  readonly field: string;
  /** Undefined: the field is missing. */
  readonly before?: unknown;
  readonly after?: unknown;
}

/** The keys by which two different values are compared; undefined: they are compared as a whole. */
type PartsOf = (before: unknown, after: unknown) => readonly PropertyKey[] | undefined;

/** Compares two groups by their fields, and two lists of one length by their items. */
export const sharedParts: PartsOf = (before, after) => {
  if (isRecord(before) && isRecord(after)) return keysOf(before, after);
  const areAlike = Array.isArray(before) && Array.isArray(after) && before.length === after.length;
  return areAlike ? [...before.keys()] : undefined;
};

/** Compares by fields, also where one document lacks the group. A list is one value: its items have no names. */
export const allFields: PartsOf = (before, after) =>
  [before, after].every((each) => each === undefined || isRecord(each)) ? keysOf(before, after) : undefined;

export function differencesOf(before: unknown, after: unknown, partsOf: PartsOf = sharedParts): Difference[] {
  const compare = (one: unknown, other: unknown, path: readonly PropertyKey[]): Difference[] => {
    if (isDeepStrictEqual(one, other)) return [];
    const parts = partsOf(one, other);
    if (!parts) return [{ field: formatPath(path), before: one, after: other }];
    return parts.flatMap((part) => compare(partOf(one, part), partOf(other, part), [...path, part]));
  };
  return compare(before, after, []).sort((one, other) => (one.field < other.field ? -1 : 1));
}

function keysOf(...groups: readonly unknown[]): string[] {
  return [...new Set(groups.flatMap((group) => Object.keys(group ?? {})))];
}

function partOf(value: unknown, part: PropertyKey): unknown {
  return (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[part];
}
