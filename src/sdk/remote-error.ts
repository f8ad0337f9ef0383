import type { EngineKind } from "../config/engine-kind.ts";
import type { Network } from "../config/limits.ts";
import { printableLines } from "../core/printable.ts";
import { fromWire, type WireError } from "../core/wire-error.ts";

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
export function revive(error: WireError, where: string, ranIn: RanIn): Error {
  return (
    fromWire(error, { code: "function-failed", culprit: where }) ??
    new RemoteError(error, where, ranIn.site ?? "", limitsRemedy(error.details, ranIn))
  );
}

/** How a function ran. */
export interface RanIn {
  readonly kind: EngineKind;
  readonly network: Network;
  /** Its limit in bytes. */
  readonly memory?: number | undefined;
  /** The stack of the caller. */
  readonly site?: string;
}

/** Codes of Node, and words of Python and of other programs. */
const unreachable =
  /\b(EAI_AGAIN|ENETUNREACH|ENOTFOUND|ECONNREFUSED)\b|Temporary failure in name resolution|Name or service not known|Network is unreachable|Connection refused/;

/**
 * The remedy for an error that comes from the limits of containers: no network by default, and a read-only root file
 * system. Undefined for other errors. Keep python/slipway/_errors.py the same.
 *
 * @param details the error with its causes and their codes
 */
function limitsRemedy(details: string, { kind, network }: RanIn): string | undefined {
  if (kind === "process") return undefined;
  if (/\bEROFS\b|Read-only file system/i.test(details)) {
    return "The file system of its image is read-only. Write below /tmp, or below HOME (/home/slipway).";
  }
  if (kind === "container" && network === "none" && unreachable.test(details)) {
    return 'It ran without a network. Set `network: "host"` in the options of the function.';
  }
  return undefined;
}
