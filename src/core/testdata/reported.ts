import { expect } from "vitest";
import type { ErrorCode } from "../error-codes.ts";

type Culprit = string | RegExp | undefined;

/** Matches an error that the user can correct, by its code and its culprit: a program ends with status 2. */
export function userErrorWith(code: ErrorCode, culprit?: Culprit): Error {
  return matching({ name: "UserError", code }, culprit);
}

/** Matches any other error, by its code and its culprit: a program ends with status 1. */
export function failureWith(code: ErrorCode, culprit?: Culprit): Error {
  return matching({ name: "Failure", code }, culprit);
}

/** Every error says what is wrong and what to do, whatever the words. */
function matching(fields: object, culprit: Culprit): Error {
  const named = culprit instanceof RegExp ? expect.stringMatching(culprit) : culprit;
  return expect.objectContaining({
    ...fields,
    problem: expect.stringMatching(/\w/),
    remedy: expect.stringMatching(/\w/),
    ...(named !== undefined && { culprit: named }),
  });
}

/** Matches the standard error of a program that ended with an error: the culprit is in it, and the code ends it. */
export function printed(code: ErrorCode, culprit: string | RegExp = ""): string {
  const named = culprit instanceof RegExp ? culprit.source : culprit.replaceAll(/[^\w/]/g, "\\$&");
  return expect.stringMatching(new RegExp(`${named}[^]*\\[${code}\\]\n$`)) as string;
}
