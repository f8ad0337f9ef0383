import { expect } from "vitest";
import type { ErrorCode } from "../error-codes.ts";

/** Matches a UserError or Failure by its code and its culprit. */
export function reported(code: ErrorCode, culprit?: string | RegExp): Error {
  const named = culprit instanceof RegExp ? expect.stringMatching(culprit) : culprit;
  return expect.objectContaining({ code, ...(named !== undefined && { culprit: named }) });
}

/** Matches the standard error of a program that ended with an error: the culprit is in it, and the code ends it. */
export function printed(code: ErrorCode, culprit: string | RegExp = ""): string {
  const named = culprit instanceof RegExp ? culprit.source : culprit.replaceAll(/[^\w/]/g, "\\$&");
  return expect.stringMatching(new RegExp(`${named}[^]*\\[${code}\\]\n$`)) as string;
}
