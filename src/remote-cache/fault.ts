/** `passing`: a retry may help. */
export type FaultKind = "missing" | "refused" | "passing" | "permanent";

/** Its message begins with a verb: the cache is the subject. */
export class CacheFault extends Error {
  override readonly name = "CacheFault";
  readonly kind: FaultKind;
  /** In the configuration file, if one would help. */
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
