/** Control characters, which a terminal would obey. Errors quote untrusted text. */
const unprintable = /[^\P{Cc}\n]+/gu;

/** An error for people: what is wrong, and what to do about it. */
abstract class ReportedError extends Error {
  abstract readonly exitStatus: number;

  /**
   * @param problem one sentence that names the culprit: the file and line, the field, the registry, the target
   * @param remedy one sentence that says what to do
   * @param options `cause`: the underlying error, for debugging
   */
  constructor(problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}\n${remedy}`.replaceAll(unprintable, " "), options);
  }
}

/** An error that the user can fix, such as a wrong argument. A program that ends with it exits with status 2. */
export class UserError extends ReportedError {
  override readonly name = "UserError";
  readonly exitStatus = 2;
}

/** An error that the user did not cause, such as a failed container. A program that ends with it exits with status 1. */
export class Failure extends ReportedError {
  override readonly name = "Failure";
  readonly exitStatus = 1;
}

/** The exit status for an error: 2 for a {@link UserError}, 1 for everything else. */
export function exitStatusOf(error: unknown): number {
  return error instanceof ReportedError ? error.exitStatus : 1;
}

/** The text to print for an error. UserError and Failure have no stack in it, since they name the culprit. */
export function messageOf(error: unknown): string {
  if (error instanceof ReportedError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
