import { messageOf } from "../core/errors.ts";

/** A failed item of {@link MapError}. */
export interface ItemFailure {
  /** Index of the item, from 0. */
  readonly index: number;
  /** The error that a single call of the function would throw. */
  readonly error: unknown;
}

/** Maximum number of failures printed with their stacks, and of indices listed. */
const told = 5;
const listed = 20;

/**
 * Some items of {@link mapInImage} failed. The message lists up to 20 of their indices and the stacks of the first 5.
 */
export class MapError extends Error {
  override readonly name = "MapError";
  /** All failed items, in the order of their indices. */
  readonly failures: readonly ItemFailure[];

  constructor(name: string, count: number, failures: readonly ItemFailure[]) {
    const indices = failures.slice(0, listed).map(({ index }) => index);
    const more = failures.length > listed ? `, and ${failures.length - listed} more` : "";
    const details = failures.slice(0, told).map(({ index, error }) => `item ${index}: ${messageOf(error)}`);
    super(
      [
        `${failures.length} of ${count} items of ${JSON.stringify(name)} failed: ${indices.join(", ")}${more}.`,
        ...details,
      ].join("\n"),
    );
    this.failures = failures;
    // The local stack says nothing about why the functions failed.
    this.stack = `${this.name}: ${this.message}`;
  }
}
