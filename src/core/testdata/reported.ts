import { expect } from "vitest";
import type { ErrorCode } from "../error-codes.ts";

/** Matches a UserError or Failure by its code and its culprit. */
export function reported(code: ErrorCode, culprit?: string | RegExp): Error {
  const named = culprit instanceof RegExp ? expect.stringMatching(culprit) : culprit;
  return expect.objectContaining({ code, ...(named !== undefined && { culprit: named }) });
}
