import { inspect } from "node:util";
import { Failure, messageOf, UserError } from "../core/errors.ts";
import type { RemoteFailure } from "../engine/remote-failure.ts";
import { limitsRemedy, type RanIn } from "./limits-remedy.ts";

/** From the call of a function to its failure the SDK has at most so many frames. */
const maximumOwnFrames = 20;

/** An exception that a function threw where it ran, other than UserError and Failure, which arrive as themselves. Its stack is the one from there, followed by that of the call. */
export class RemoteError extends Error {
  override readonly name: string;

  /**
   * @param where says where the function ran, as in `a container of IMAGE`
   * @param remedy what to do about it, where that is known
   */
  constructor(failure: RemoteFailure, where: string, remedy?: string) {
    // The SDK's own frames come first, and are left out (stack-trace.ts).
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = stackTraceLimit + maximumOwnFrames;
    super(remedy === undefined ? failure.message : `${failure.message}\n${remedy}`);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = failure.name;
    const here = this.stack?.slice(this.stack.indexOf("\n    at ") + 1) ?? "";
    const told = remedy === undefined ? failure.details : `${failure.details}\n${remedy}`;
    this.stack = `${told}\n    --- thrown in ${where}, called here ---\n${here}`;
  }
}

/** More of an error's text than this tells a person nothing. */
const maximumText = 64 * 1024;

/** Describes whatever was thrown, so that it survives the way back. */
export function describeFailure(error: unknown): RemoteFailure {
  if (error instanceof UserError || error instanceof Failure) {
    return { name: error.name, message: error.message, details: error.message };
  }
  const details = inspect(error, { colors: false }).slice(0, maximumText);
  return error instanceof Error
    ? { name: error.name, message: error.message.slice(0, maximumText), details }
    : { name: "Error", message: messageOf(error).slice(0, maximumText), details };
}

/** The error to throw for a failure that came back: reported errors as themselves, since their exit status matters. */
export function revive(failure: RemoteFailure, where: string, ranIn: RanIn): Error {
  const [problem = "", ...remedy] = failure.message.split("\n");
  if (failure.name === "UserError") return new UserError(problem, remedy.join("\n"));
  if (failure.name === "Failure") return new Failure(problem, remedy.join("\n"));
  return new RemoteError(failure, where, limitsRemedy(failure.details, ranIn));
}
