import { z } from "zod";
import { parseBytes } from "./quantity.ts";

/** A problem and its remedy as one text, which travels through zod as the message of an issue. */
export function mistake(problem: string, remedy: string): string {
  return JSON.stringify([problem, remedy]);
}

/** What {@link mistake} put together; undefined for a message of zod's own. */
export function readMistake(message: string): { problem: string; remedy: string } | undefined {
  if (!message.startsWith("[")) return undefined;
  const [problem, remedy] = JSON.parse(message) as [string, string];
  return { problem, remedy };
}

const nul: [string, string] = ["contains a NUL character", "Remove it."];

/** A value with its own rule: `check` gives what is wrong with it, or undefined. */
export function checked<T extends z.ZodType>(
  schema: T,
  check: (value: z.output<T>) => [problem: string, remedy: string] | undefined,
) {
  return schema.superRefine((value, context) => {
    const wrong = check(value);
    if (wrong) context.addIssue({ code: "custom", message: mistake(...wrong) });
  });
}

/** The message for an unknown field lists all of them. */
export function strictFields<T extends z.ZodRawShape>(what: string, shape: T) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? unknownFields(what, shape) : undefined),
  });
}

/** Read by `mistakesOf`. @param remedies of fields that other tools know, or that are elsewhere */
export function unknownFields(
  what: string,
  shape: z.ZodRawShape,
  remedies: Readonly<Record<string, string>> = {},
): string {
  return JSON.stringify({ what, known: Object.keys(shape), remedies });
}

/** The complaint about a choice in which nothing is chosen. */
export const saysNothing = "says nothing";

/** A union of objects with one key each. */
type OneOf<T extends z.ZodRawShape, Side extends "input" | "output"> = {
  [K in keyof T]-?: Record<K, NonNullable<T[K]>["_zod"][Side]>;
}[keyof T];

/** Exactly one of the given kinds, which the key names. */
export function oneOf<T extends z.ZodRawShape>(what: string, kinds: T) {
  const names = Object.keys(kinds);
  const schema: unknown = checked(
    strictFields(what, Object.fromEntries(names.map((name) => [name, (kinds[name] as z.ZodType).optional()]))),
    (value) => {
      const given = names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
      if (given.length === 1) return undefined;
      const problem = given.length === 0 ? saysNothing : `is ${given.join(" and ")} at once`;
      return [problem, `Give one of: ${names.join(", ")}.`];
    },
  ).meta({ minProperties: 1, maxProperties: 1 });
  return schema as z.ZodType<OneOf<T, "output">, OneOf<T, "input">>;
}

export const text = checked(z.string(), (value) =>
  value === "" ? ["is empty", "Give a text."] : value.includes("\0") ? nul : undefined,
);

/** Values by any names, in which `__proto__` is a name as others are; a record of zod leaves it out. */
export function named<T extends z.ZodType>(item: T) {
  return (z.unknown() as z.ZodType as z.ZodType<unknown, Readonly<Record<string, z.input<T>>>>).transform(
    (value, context): Readonly<Record<string, z.output<T>>> => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        context.addIssue({ code: "invalid_type", expected: "record", input: value });
        return z.NEVER;
      }
      const parsed = Object.entries(value).map(([name, each]) => [name, item.safeParse(each)] as const);
      for (const [name, { error }] of parsed) {
        for (const issue of error?.issues ?? []) {
          const placed = { ...issue, path: [name, ...issue.path], input: value };
          context.addIssue(placed as Parameters<typeof context.addIssue>[0]);
        }
      }
      return Object.fromEntries(parsed.map(([name, { data }]) => [name, data as z.output<T>]));
    },
  );
}

export const anyText = checked(z.string(), (value) => (value.includes("\0") ? nul : undefined));

/** A number, or a text that a person finds easier. */
export function quantity(parse: (value: string) => number | undefined, what: string, example: string) {
  return (z.unknown() as z.ZodType<unknown, number | string>)
    .meta({ type: ["integer", "string"] })
    .transform((value, context): number => {
      const number = typeof value === "string" ? parse(value) : value;
      if (typeof number === "number" && Number.isSafeInteger(number) && number > 0) return number;
      context.addIssue({ code: "custom", message: mistake(`is not ${what}`, `Write it like ${example}.`) });
      return z.NEVER;
    });
}

export const memory = quantity(parseBytes, "an amount of memory", "512MiB, 2GB, or a number of bytes");

export function number(minimum: number, maximum: number, isWhole: boolean) {
  return checked(z.number(), (value) => {
    const isRight = value >= minimum && value <= maximum && (!isWhole || Number.isInteger(value));
    const kind = isWhole ? "a whole number" : "a number";
    return isRight ? undefined : [`is ${value}`, `Give ${kind} from ${minimum} to ${maximum}.`];
  }).meta({ type: isWhole ? "integer" : "number", minimum, maximum });
}
