import type { Readable } from "node:stream";
import type { Environment } from "../../core/environment.ts";
import { UserError } from "../../core/errors.ts";

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
  return new UserError(`${program} ${problem}.`, `It is run by a tool, with one of: ${known.join(", ")}.`);
}
