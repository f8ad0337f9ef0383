import { Failure, messageOf, UserError } from "../core/errors.ts";
import { toWire, type WireError } from "../core/wire-error.ts";

export function toHelperError(error: unknown, what: string): WireError {
  if (error instanceof UserError || error instanceof Failure) return toWire(error);
  const identity = { code: "program-failed", culprit: "helper" } as const;
  return toWire(new Failure(identity, `${what}: ${messageOf(error)}`, "Run the program again."));
}
