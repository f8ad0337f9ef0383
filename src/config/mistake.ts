import { nearest } from "../core/nearest.ts";

// Part of the public types of the package `slipway`, so it uses no Node types.

export interface Mistake {
  /** The way to the value: keys, and indexes of lists. */
  readonly path: readonly PropertyKey[];
  /** Follows the field's name: `is missing`. */
  readonly problem: string;
  readonly remedy: string;
  /** Whether the last part of the path is a key that should not be there, rather than one with a wrong value. */
  readonly isKey?: boolean;
  /** The field's name in the message. Default: the path. */
  readonly name?: string;
}

/** The mistake of an unknown key, with the known one that was probably meant, or a remedy from `elsewhere`. */
export function unknownKey(
  path: readonly PropertyKey[],
  what: string,
  known: readonly string[],
  elsewhere: Readonly<Record<string, string>> = {},
): { readonly mistake: Mistake; readonly meant: string | undefined } {
  const key = String(path.at(-1));
  const remedy = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
  const meant = remedy === undefined ? nearest(key, known) : undefined;
  const mistake = {
    path,
    isKey: true,
    problem: `is not ${what}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`,
    remedy: remedy ?? `Known here: ${known.join(", ")}.`,
  };
  return { mistake, meant };
}
