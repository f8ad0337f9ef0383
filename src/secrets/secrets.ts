import { UserError } from "../core/errors.ts";
import { secretPattern } from "../core/secret-reference.ts";
import type { VariableStore } from "./variables.ts";

/** A secret that is kept somewhere. Its value is no part of it. */
export interface KeptSecret {
  readonly name: string;
  /** Its place, for people. */
  readonly place: string;
  /** When its value was set: ISO 8601. */
  readonly set: string;
}

/** A store of the secrets that people name as `SECRET:NAME`: one for each engine. */
export interface SecretStore extends VariableStore {
  /** Keeps a value, in place of an earlier one, in one step. */
  set(name: string, value: Buffer): Promise<void>;
  has(name: string): Promise<boolean>;
  /** The value, for use on this machine. Undefined: there is none. */
  value(name: string): Promise<Buffer | undefined>;
  /** All of them, by name. */
  list(): Promise<readonly KeptSecret[]>;
  /** @throws UserError when one of them is not there: then none is removed */
  remove(names: readonly string[]): Promise<void>;
}

/** Most bytes of a value: far more than passwords, tokens and keys have, and little enough for whatever keeps it. */
export const maximumValue = 64 * 1024;

/** Under which a Secret of Kubernetes has the value. */
export const secretKey = "value";

/** @throws UserError for a text that is no name of a secret; it is not shown, since it may be the secret */
export function checkSecretName(name: string): void {
  if (secretPattern.test(name)) return;
  throw new UserError(
    { code: "command-line-invalid", culprit: "NAME" },
    "The text given as the name of a secret cannot be one.",
    "Write at most 63 letters, digits, . _ and -, a letter or digit first and last. If it was the secret itself, change the secret: others can see command lines.",
  );
}

/**
 * The value in what a file or a pipe gave: without the one line end that `echo` and editors add.
 *
 * @param origin what gave it, for errors
 * @throws UserError when nothing is left, or too much
 */
export function secretValue(given: Buffer, origin: string): Buffer {
  const end = given.at(-1) === 0x0a ? (given.at(-2) === 0x0d ? 2 : 1) : 0;
  const value = given.subarray(0, given.length - end);
  const identity = { code: "file-invalid", culprit: origin } as const;
  if (value.length === 0)
    throw new UserError(identity, `${origin} gave no value.`, "Give one: a secret is never empty.");
  if (value.length > maximumValue) {
    throw new UserError(
      identity,
      `${origin} gave more than ${maximumValue} bytes, the limit of a secret.`,
      "Store only the key or password as a secret.",
    );
  }
  return value;
}

/** The error for names that a store does not have. */
export function noSuchSecret(missing: readonly string[], place: string): UserError {
  const culprit = missing.join(", ");
  return new UserError(
    { code: "secret-not-found", culprit },
    `There is no secret ${culprit} in ${place}.`,
    "`slipway secret ls` lists the secrets. None was removed.",
  );
}
