import { UserError } from "../core/errors.ts";
import { secretPattern } from "../core/secret-reference.ts";
import type { VariableStore } from "./variables.ts";

export interface KeptSecret {
  readonly name: string;
  /** For people. */
  readonly place: string;
  readonly set: string;
}

export interface SecretStore extends VariableStore {
  set(name: string, value: Buffer): Promise<void>;
  has(name: string): Promise<boolean>;
  value(name: string): Promise<Buffer | undefined>;
  list(): Promise<readonly KeptSecret[]>;
  /** @throws UserError if one does not exist. Then none is removed */
  remove(names: readonly string[]): Promise<void>;
}

/** Maximum bytes of a value: more than passwords, tokens and keys need. */
export const maximumValue = 64 * 1024;

/** The key of the value in a Secret of Kubernetes. */
export const secretKey = "value";

/** @throws UserError that does not show the text, because it may be the secret */
export function checkSecretName(name: string): void {
  if (secretPattern.test(name)) return;
  throw new UserError(
    { code: "command-line-invalid", culprit: "NAME" },
    "The text given as the name of a secret cannot be one.",
    "Write at most 63 letters, digits, . _ and -, a letter or digit first and last. If it was the secret itself, change the secret: others can see command lines.",
  );
}

/** The value in a file or a pipe, without the line end that `echo` and editors add. @param origin for errors */
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

/** @throws UserError for names that a store does not have */
export function requireAll(names: readonly string[], known: readonly string[], place: string): void {
  const culprit = names.filter((name) => !known.includes(name)).join(", ");
  if (culprit === "") return;
  throw new UserError(
    { code: "secret-not-found", culprit },
    `There is no secret ${culprit} in ${place}.`,
    "`slipway secret ls` lists the secrets. None was removed.",
  );
}
