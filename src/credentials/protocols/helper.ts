import type { Readable } from "node:stream";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";

/** What a helper gets from the tool that runs it. */
export interface HelperCall {
  readonly args: readonly string[];
  readonly stdin: Readable;
  readonly env: Environment;
}

/** What a helper answers. */
export interface HelperAnswer {
  readonly stdout: string;
  /** Default 0. */
  readonly status?: number;
  /** For people; the tool shows it or not. */
  readonly stderr?: string;
}

/** The error for an action that a protocol does not have. */
export function unknownAction(program: string, action: string | undefined, known: readonly string[]): UserError {
  const problem = action === undefined ? "needs an action" : `has no action ${JSON.stringify(action)}`;
  return new UserError(`${program} ${problem}.`, `It is run by a tool, with one of: ${known.join(", ")}.`);
}
