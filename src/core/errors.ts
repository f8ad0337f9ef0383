/** What a terminal would act on. Errors quote what comes from outside. */
const unprintable = /[^\P{Cc}\n]+/gu;

/** What every error of Slipway tells a person: what is wrong, and what to do about it. */
abstract class ReportedError extends Error {
  abstract readonly exitStatus: number;

  /**
   * @param problem one sentence that names the culprit: the file and line, the field, the registry, the target
   * @param remedy one sentence that says what to do
   * @param options `cause`: the underlying error, for those who debug
   */
  constructor(problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}\n${remedy}`.replaceAll(unprintable, " "), options);
  }
}

/** The user's mistake: exit status 2. */
export class UserError extends ReportedError {
  override readonly name = "UserError";
  readonly exitStatus = 2;
}

/** Something failed that the user did not cause: exit status 1. */
export class Failure extends ReportedError {
  override readonly name = "Failure";
  readonly exitStatus = 1;
}

/** The exit status that an error asks for: 2 for a user's mistake, 1 for everything else. */
export function exitStatusOf(error: unknown): number {
  return error instanceof ReportedError ? error.exitStatus : 1;
}

/** The text a person sees for any error: no stack for reported ones, since they name the culprit themselves. */
export function messageOf(error: unknown): string {
  if (error instanceof ReportedError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
