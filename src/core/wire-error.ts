// In the types of the package `slipway`, so it names no type of Node: a program is checked without those too.

import { type ErrorIdentity, explained, Failure, messageOf, reportOf, UserError } from "./errors.ts";

/** An error between processes. `name` tells a UserError or Failure from others. See python/slipway/_errors.py. */
export interface WireError extends Partial<ErrorIdentity> {
  readonly name: string;
  readonly message: string;
  /** The stack, causes and further fields, as Node prints them. */
  readonly details: string;
}

/** Maximum length of a text; more would help nobody. */
const maximumText = 64 * 1024;

export function toWire(error: unknown): WireError {
  if (error instanceof UserError || error instanceof Failure) {
    const { name, message, code, culprit } = error;
    return { name, message, details: message, code, culprit };
  }
  const { name, message } = error instanceof Error ? error : { name: "Error", message: messageOf(error) };
  const { inspect } = process.getBuiltinModule("node:util");
  const details = inspect(error, { colors: false }).slice(0, maximumText);
  return { name, message: message.slice(0, maximumText), details };
}

/** Undefined for an exception that is neither a UserError nor a Failure. */
export function fromWire(error: WireError, otherwise?: ErrorIdentity): UserError | Failure | undefined {
  const { name, message, code = otherwise?.code ?? "program-failed", culprit = otherwise?.culprit ?? name } = error;
  if (name !== "UserError" && name !== "Failure") return undefined;
  // The remedy is the last line that is not indented.
  const end = message.search(/\n(?! {2})(?!.*\n(?! {2}))/s);
  const [problem, remedy] = end < 0 ? [message, ""] : [message.slice(0, end), message.slice(end + 1)];
  // A function's own error has no lines of Slipway's.
  const told = otherwise === undefined ? problem.split("\n") : problem;
  return new (name === "UserError" ? UserError : Failure)({ code, culprit }, told, remedy);
}

export function isWireError(value: unknown): value is WireError {
  if (typeof value !== "object" || value === null) return false;
  const isText = (name: string) => typeof (value as Readonly<Record<string, unknown>>)[name] === "string";
  const isAbsent = (name: string) => (value as Readonly<Record<string, unknown>>)[name] === undefined;
  return (
    ["name", "message", "details"].every(isText) && ["code", "culprit"].every((name) => isText(name) || isAbsent(name))
  );
}

/** The answer in JSON of a program that has no result. */
export function errorAnswer(error: unknown): string {
  return JSON.stringify({ error: toWire(explained(error)) });
}

/** Set to `json` by a program that reads the error of one that it starts. */
export const errorFormat = "SLIPWAY_ERROR_FORMAT";

/** The text of an error that ends a program: for people, or for the program that started it. */
export function endReport(error: unknown): string {
  return process.env[errorFormat] === "json" ? errorAnswer(error) : reportOf(error);
}

/** The error in a line that {@link endReport} wrote for a program. Undefined for any other line. */
export function reportedIn(line: string): UserError | Failure | undefined {
  const [, json] = /^(?:slipway: )?(\{"error":.*)/.exec(line) ?? [];
  if (json === undefined) return undefined;
  try {
    const { error } = JSON.parse(json) as { readonly error: unknown };
    return isWireError(error) ? fromWire(error) : undefined;
  } catch {
    return undefined;
  }
}
