import { type ErrorCode, errorCodes } from "../core/error-codes.ts";

/** An error that another process printed with `reportOf`. */
export interface PrintedError {
  readonly problem: string;
  /** Empty: none was printed. */
  readonly remedy: string;
  /** Undefined: none that this version knows. */
  readonly code: ErrorCode | undefined;
}

/** Reads the last two lines that a program printed. */
export function printedError(lines: readonly string[]): PrintedError {
  const [problem = "", last = ""] = lines.slice(-2);
  const [, remedy = last, code = ""] = /^(.*) \[([\w-]+)\]$/.exec(last) ?? [];
  return Object.hasOwn(errorCodes, code)
    ? { problem, remedy, code: code as ErrorCode }
    : { problem, remedy: last, code: undefined };
}
