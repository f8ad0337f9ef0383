import { printableLines } from "../core/printable.ts";
import { fromWire, type WireError } from "../core/wire-error.ts";
import type { CallError } from "../functions/program-protocol.ts";

/** The stack of whoever calls a function of the SDK, without that function. */
export function callSite(callee: (...args: never[]) => unknown): string {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, callee);
  const { stack = "" } = site;
  const start = stack.indexOf("\n    at ");
  return start < 0 ? "" : stack.slice(start + 1);
}

/**
 * An exception that a function threw in its container, pod or process. Its stack is the function's stack, followed by
 * the caller's. `name` and `message` are those of the exception. UserError and Failure arrive unchanged instead.
 */
export class RemoteError extends Error {
  override readonly name: string;

  /**
   * @param where where the function ran, such as `a container of IMAGE`
   * @param site the stack of the caller
   * @param remedy what to do about it, if known
   */
  constructor(failure: WireError, where: string, site: string, remedy?: string) {
    super(remedy === undefined ? failure.message : `${failure.message}\n${remedy}`);
    this.name = failure.name;
    const told = remedy === undefined ? failure.details : `${failure.details}\n${remedy}`;
    // Node prints it; the message stays what the function said.
    this.stack = printableLines(`${told}\n    --- thrown in ${where}, called here ---\n${site}`);
  }
}

/** The error to throw for a remote failure. UserError and Failure keep their type, since their exit status matters. */
export function revive(error: CallError, site: string): Error {
  const { where = "its worker", remedy } = error;
  return fromWire(error, { code: "function-failed", culprit: where }) ?? new RemoteError(error, where, site, remedy);
}
