/** How an attempt to ask a cache failed. `passing`: a retry may help. */
export type FaultKind = "missing" | "refused" | "passing" | "permanent";

/** A failed attempt to ask a cache. Its message begins with a verb: the cache is the subject. */
export class CacheFault extends Error {
  override readonly name = "CacheFault";
  readonly kind: FaultKind;
  /** The setting in the configuration file that would help. */
  readonly setting: "ca" | "certificate" | undefined;

  constructor(kind: FaultKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.setting = tlsSetting(message);
  }
}

/** By the words of OpenSSL, Node and gRPC, whose client keeps no code of an error. */
function tlsSetting(message: string): CacheFault["setting"] {
  if (/unable to (get|verify)|self[- ]signed/i.test(message)) return "ca";
  // A cache that wants another client certificate sends an alert, or closes the connection.
  return /alert|Failed to connect/.test(message) ? "certificate" : undefined;
}
