import { type ErrorCode, errorCodes } from "../core/error-codes.ts";

/** An error as `reportOf` of another process printed it. */
export interface PrintedError {
  readonly problem: string;
  /** Empty: it printed none. */
  readonly remedy: string;
  /** Undefined: it printed none that this version knows. */
  readonly code: ErrorCode | undefined;
}

/** Reads the error from the last two lines that a program printed. */
export function printedError(lines: readonly string[]): PrintedError {
  const [problem = "", last = ""] = lines.slice(-2);
  const [, remedy = last, code = ""] = /^(.*) \[([\w-]+)\]$/.exec(last) ?? [];
  return Object.hasOwn(errorCodes, code)
    ? { problem, remedy, code: code as ErrorCode }
    : { problem, remedy: last, code: undefined };
}
