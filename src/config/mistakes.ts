import type { z } from "zod";
import { formatPath, spokenValue } from "./document.ts";
import { type Mistake, unknownKey } from "./mistake.ts";
import { readMistake, saysNothing } from "./schema-words.ts";

export function mistakesOf(issues: readonly z.core.$ZodIssue[], document: unknown): Mistake[] {
  const unknown = new Map(
    issues.flatMap((issue) =>
      issue.code === "unrecognized_keys" ? [[issue as z.core.$ZodIssue, unknownKeys(issue)] as const] : [],
    ),
  );
  // That a field is missing, or one of several kinds, is said by naming the one that was misspelt.
  const explained = new Set(
    [...unknown.values()].flat().flatMap(({ mistake, meant }) => {
      const group = mistake.path.slice(0, -1);
      return (meant === undefined ? [group] : [group, [...group, meant]]).map((way) => formatPath(way));
    }),
  );
  return issues.flatMap((issue): Mistake[] => {
    const said = readMistake(issue.message);
    if (said?.problem === saysNothing && explained.has(formatPath(issue.path))) return [];
    const isKey = issue.code === "custom" && issue.params?.["isKey"] === true;
    if (said) return [{ path: issue.path, ...said, ...(isKey ? { isKey } : {}) }];
    const keys = unknown.get(issue);
    if (keys) return keys.map(({ mistake }) => mistake);
    const value = issue.path.reduce<unknown>(
      (at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part],
      document,
    );
    if (value === undefined && explained.has(formatPath(issue.path))) return [];
    return [{ path: issue.path, ...wrongType(issue, value) }];
  });
}

function unknownKeys({ message, keys, path }: z.core.$ZodIssueUnrecognizedKeys) {
  const { what, known, remedies } = JSON.parse(message) as {
    what: string;
    known: string[];
    remedies: Readonly<Record<string, string>>;
  };
  return keys.map((key) => unknownKey([...path, key], what, known, remedies));
}

const spokenTypes: Readonly<Record<string, [what: string, remedy: string]>> = {
  string: ["a text", "Give a text."],
  number: ["a number", "Give a number, without quotes."],
  int: ["a whole number", "Give a whole number, without quotes."],
  array: ["a list", "Write a list: [ONE, TWO], or a line with - for each."],
  object: ["a group of fields", "Write NAME: VALUE, a line for each field."],
  record: ["a group of fields", "Write NAME: VALUE, a line for each."],
};

function wrongType(issue: z.core.$ZodIssue, value: unknown): { problem: string; remedy: string } {
  if (issue.code === "invalid_value" && value !== undefined) {
    const values = issue.values.map((each) => String(each)).join(" or ");
    return {
      problem: `is ${spokenValue(value)}`,
      remedy: `Write ${values}, or use the version of Slipway that wrote it.`,
    };
  }
  const expected = issue.code === "invalid_type" ? issue.expected : "string";
  const [what, remedy] = spokenTypes[expected] ?? ["something else", "Correct it."];
  if (value === undefined) return { problem: "is missing", remedy: `Add it: ${what}.` };
  const problem = `is ${spokenValue(value)}, not ${what}`;
  const quotes = expected === "string" && (typeof value === "number" || typeof value === "boolean");
  return { problem, remedy: quotes ? "Put it in quotes." : remedy };
}
