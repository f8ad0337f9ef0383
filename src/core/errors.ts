import type { ErrorCode } from "./error-codes.ts";
import { indentedLines, printable, printableLines } from "./printable.ts";
import { describeSystemError } from "./system-error.ts";

export interface ErrorIdentity {
  /** One that docs/reference/errors.md lists. A program that uses the SDK can have its own. */
  readonly code: ErrorCode | (string & Record<never, never>);
  /** The shortest text that names it: the file with line and column, the field, the registry, the job. */
  readonly culprit: string;
}

abstract class ReportedError extends Error implements ErrorIdentity {
  abstract readonly exitStatus: number;
  readonly code: ErrorIdentity["code"];
  readonly culprit: string;
  readonly problem: string;
  readonly remedy: string;

  /**
   * @param problem one sentence that names the culprit, or lines. Foreign text is escaped, and its lines are indented
   * @param remedy one sentence that says what to do
   */
  constructor(
    { code, culprit }: ErrorIdentity,
    problem: string | readonly string[],
    remedy: string,
    options?: ErrorOptions,
  ) {
    const shownProblem = [problem].flat().map(indentedLines).join("\n");
    const shownRemedy = indentedLines(remedy);
    super(`${shownProblem}\n${shownRemedy}`, options);
    this.code = code;
    this.culprit = printable(culprit);
    this.problem = shownProblem;
    this.remedy = shownRemedy;
  }
}

/** An error that the user can fix, such as a wrong argument. A program that ends with it exits with status 2. */
export class UserError extends ReportedError {
  override readonly name = "UserError";
  readonly exitStatus = 2;
}

/** An error that the user did not cause, such as a failed container. The exit status is 1. */
export class Failure extends ReportedError {
  override readonly name = "Failure";
  readonly exitStatus = 1;
}

/** The exit status for an error: 2 for a {@link UserError}, 1 for everything else. */
export function exitStatusOf(error: unknown): number {
  return error instanceof ReportedError ? error.exitStatus : 1;
}

/** The text of an error, to quote in another one. UserError and Failure name the culprit, so they need no stack. */
export function messageOf(error: unknown): string {
  if (error instanceof ReportedError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** The error to show: one of the system that no caller expected, such as a full disk, becomes a {@link Failure}. */
export function explained(error: unknown): unknown {
  const refusal = error instanceof ReportedError ? undefined : describeSystemError(error);
  return refusal ? new Failure(refusal, refusal.problem, refusal.remedy, { cause: error }) : error;
}

/** The text of an error, to print: the message and, in brackets, the code that docs/reference/errors.md lists. */
export function reportOf(caught: unknown): string {
  const error = explained(caught);
  return error instanceof ReportedError ? `${error.message} [${error.code}]` : printableLines(messageOf(error));
}

export function jsonOf(caught: unknown): string {
  const error = explained(caught);
  if (!(error instanceof ReportedError)) return JSON.stringify({ error: { problem: messageOf(error) } });
  const { code, culprit, problem, remedy } = error;
  return JSON.stringify({ error: { code, culprit, problem, remedy } });
}
