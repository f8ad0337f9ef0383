// In the types of the package `slipway`, so it names no type of Node: a program is checked without those too.

import type { ErrorIdentity } from "./errors.ts";

/** An exception on its way back. `name` tells a UserError or Failure, which have a code and a culprit, from any other. */
export interface RemoteFailure extends Partial<ErrorIdentity> {
  readonly name: string;
  readonly message: string;
  /** The stack, causes and further fields, as Node prints them. */
  readonly details: string;
}
