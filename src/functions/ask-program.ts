import type { Environment } from "../core/environment.ts";
import { Failure } from "../core/errors.ts";
import { runProgram } from "../core/run-program.ts";
import { fromWire, isWireError } from "../core/wire-error.ts";

const notBuilt = "Build the pipeline's target again.";

const mostAnswer = 256 * 1024 * 1024;

/** Its answer is JSON on standard output: a result, or a {@link WireError}. */
export async function askProgram<Answer>(
  program: string,
  words: readonly string[],
  env: Environment,
  input?: string,
): Promise<Answer> {
  const options = { env, input, most: mostAnswer, onStderr: "inherit", remedy: notBuilt } as const;
  const { stdout, status } = await runProgram(program, words, options);
  const answer = parsed<Answer>(stdout);
  if (answer === undefined) {
    const problem = `${program} ended with status ${status} before it was done.`;
    throw new Failure({ code: "program-failed", culprit: program }, problem, "Look at what it printed above.");
  }
  if (typeof answer !== "object" || answer === null || !("error" in answer)) return answer as Answer;
  throw revived(answer.error, program);
}

function parsed<Answer>(json: string): Answer | { readonly error: unknown } | undefined {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function revived(error: unknown, program: string): Error {
  const identity = { code: "program-failed", culprit: program } as const;
  if (!isWireError(error)) return new Failure(identity, `${program} answered in another form.`, notBuilt);
  return fromWire(error) ?? new Failure(identity, error.details, "Run the program again.");
}
