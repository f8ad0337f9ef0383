import { messageOf } from "../core/errors.ts";

/** How one item failed. */
export interface ItemFailure {
  /** Its place among the items, from 0 on. */
  readonly index: number;
  /** What the function threw, as a call of it would have. */
  readonly error: unknown;
}

/** So many failures are told with their stacks, and so many indices at all. */
const told = 5;
const listed = 20;

/** Some items of `mapInImage` failed. The message lists them, and has the first ones' remote stacks. */
export class MapError extends Error {
  override readonly name = "MapError";
  /** All that failed, by index. */
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
    // Where the function failed is what tells something.
    this.stack = `${this.name}: ${this.message}`;
  }
}
