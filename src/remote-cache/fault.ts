/** How an attempt to ask a cache failed. `passing`: a retry may help. */
export type FaultKind = "missing" | "refused" | "passing" | "permanent";

/** A failed attempt to ask a cache. Its message begins with a verb: the cache is the subject. */
export class CacheFault extends Error {
  override readonly name = "CacheFault";
  readonly kind: FaultKind;

  constructor(kind: FaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
