import type { EngineKind } from "../config/engine-kind.ts";
import type { Network } from "../config/limits.ts";
import { Failure } from "../core/errors.ts";
import { wholeProgram } from "../core/protocol.ts";
import { toWire } from "../core/wire-error.ts";
import type { CallOutcome } from "./call-queue.ts";
import type { CallError } from "./program-protocol.ts";
import type { WorkerEnd } from "./worker.ts";

/** How a function ran. */
export interface RanIn {
  readonly name: string;
  readonly kind: EngineKind;
  readonly image: string | undefined;
  readonly network: Network;
  /** Its limit in bytes. */
  readonly memory: number | undefined;
}

function placeOf({ kind, image }: RanIn): string {
  if (image === undefined || kind === "process") return "a process of this machine";
  return kind === "container" ? `a container of ${image}` : `a pod of ${image}`;
}

/** The error of a call that has no result. Undefined: a whole program ended well without `main`. */
export function errorOf(outcome: Exclude<CallOutcome, { bodies: unknown }>, ranIn: RanIn): CallError | undefined {
  const where = placeOf(ranIn);
  if ("error" in outcome) {
    const remedy = limitsRemedy(outcome.error.details, ranIn);
    return { ...outcome.error, where, ...(remedy === undefined ? {} : { remedy }) };
  }
  const { name } = ranIn;
  const { status, reason } = outcome.end;
  // runInImage also works for programs that do not call `main`.
  if (name === wholeProgram && status === 0 && reason === undefined) return undefined;
  const subject = name === wholeProgram ? "The program" : JSON.stringify(name);
  const problem = reason
    ? `${subject} failed in ${where}: ${reason.problem}`
    : `${subject} ended with status ${status} in ${where} before it returned a result.`;
  const remedy = reason?.remedy ?? remedyOf(outcome.end, ranIn);
  return toWire(new Failure({ code: "function-failed", culprit: name }, problem, remedy));
}

function remedyOf({ status }: WorkerEnd, { kind, memory }: RanIn): string {
  if (status === 137 && kind === "container" && memory !== undefined)
    return `It was killed, most often because it used more than its \`resources.memory\` of ${memory} bytes. Raise that, or give it less to do.`;
  if (status === 137)
    return "It was killed, most often because the machine ran out of memory. Lower `parallelism`, or give it less to do.";
  if (status === 0) return "The program must call main after it has defined its functions.";
  return "Look at what it printed above.";
}

/** Codes of Node, and words of Python and of other programs. */
const unreachable =
  /\b(EAI_AGAIN|ENETUNREACH|ENOTFOUND|ECONNREFUSED)\b|Temporary failure in name resolution|Name or service not known|Network is unreachable|Connection refused/;

/**
 * The remedy for an error that comes from the limits of containers: no network by default, and a read-only root file
 * system. Undefined for other errors.
 *
 * @param details the error with its causes and their codes
 */
function limitsRemedy(details: string, { kind, network }: RanIn): string | undefined {
  if (kind === "process") return undefined;
  if (/\bEROFS\b|Read-only file system/i.test(details)) {
    return "The file system of its image is read-only. Write below /tmp, or below HOME (/home/slipway).";
  }
  if (kind === "container" && network === "none" && unreachable.test(details)) {
    return 'It ran without a network. Set `network: "host"` (Python: `network="host"`) in the options of the function.';
  }
  return undefined;
}
