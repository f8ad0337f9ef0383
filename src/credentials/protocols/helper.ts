import type { Readable } from "node:stream";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { describeEntry, type Entry, nameOf } from "../source.ts";

/** The input of a helper. */
export interface HelperCall {
  readonly args: readonly string[];
  readonly stdin: Readable;
  readonly env: Environment;
}

/** The answer of a helper. */
export interface HelperAnswer {
  readonly stdout: string;
  /** Default 0. */
  readonly status?: number;
  /** Message for people. Not every tool shows it. */
  readonly stderr?: string;
}

/** The error for an unknown action. */
export function unknownAction(program: string, action: string | undefined, known: readonly string[]): UserError {
  const problem = action === undefined ? "needs an action" : `has no action ${JSON.stringify(action)}`;
  return new UserError(
    { code: "command-line-invalid", culprit: action ?? program },
    `${program} ${problem}.`,
    `A tool runs this program, with one of: ${known.join(", ")}.`,
  );
}

/** The error for a request on stdin that the protocol does not allow. */
export function badInput(problem: string): UserError {
  return new UserError(
    { code: "started-by-hand", culprit: "stdin" },
    problem,
    "Let docker, podman or git run this program: they write the request to its stdin.",
  );
}

/** Maximum size of a helper's input, in bytes. */
const maximumInput = 1 << 20;

/** Reads a helper's whole input. */
export async function readInput(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    size += (chunk as Buffer).length;
    if (size > maximumInput) throw badInput("The request on stdin is longer than 1 MiB.");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The error for an entry that the helpers cannot change, because its secret is elsewhere. */
export function fixedSource(entry: Entry): UserError {
  return new UserError(
    { code: "credential-invalid", culprit: nameOf(entry) },
    `Slipway does not store the secret of credential ${describeEntry(entry)}, so it cannot change it.`,
    "Change it there, or let Slipway forget it: `slipway credentials remove`.",
  );
}
