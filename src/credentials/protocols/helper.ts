import type { Readable } from "node:stream";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";
import { describeEntry, type Entry, nameOf } from "../source.ts";

export interface HelperCall {
  readonly args: readonly string[];
  readonly stdin: Readable;
  readonly env: Environment;
}

export interface HelperAnswer {
  readonly stdout: string;
  readonly status?: number;
  readonly stderr?: string;
}

export function unknownAction(program: string, action: string | undefined, known: readonly string[]): UserError {
  const problem = action === undefined ? "needs an action" : `has no action ${JSON.stringify(action)}`;
  return new UserError(
    { code: "command-line-invalid", culprit: action ?? program },
    `${program} ${problem}.`,
    `A tool runs this program, with one of: ${known.join(", ")}.`,
  );
}

export function badInput(problem: string): UserError {
  return new UserError(
    { code: "started-by-hand", culprit: "stdin" },
    problem,
    "Let docker, podman or git run this program: they write the request to its stdin.",
  );
}

/** Bytes. */
const maximumInput = 1 << 20;

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

/** The entry's secret is elsewhere, so helpers cannot change it. */
export function fixedSource(entry: Entry): UserError {
  return new UserError(
    { code: "credential-invalid", culprit: nameOf(entry) },
    `Slipway does not store the secret of credential ${describeEntry(entry)}, so it cannot change it.`,
    "Change it there, or let Slipway forget it: `slipway credentials rm`.",
  );
}
