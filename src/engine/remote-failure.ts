// In the types of the package `slipway`, so it names no type of Node: a program is checked without those too.

/** An exception on its way back. `name` tells a reported error (UserError, Failure) from any other. */
export interface RemoteFailure {
  readonly name: string;
  readonly message: string;
  /** The stack, causes and further fields, as Node prints them. */
  readonly details: string;
}
