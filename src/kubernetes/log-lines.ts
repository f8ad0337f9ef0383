/** The time stamp that a line begins with: RFC 3339 with nanoseconds and a zone, at most so long. */
const stampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const longestStamp = 40;
/** Time stamps that are kept: so many lines in two seconds. */
const mostKnown = 100_000;

/**
 * Puts the pieces of a log together that come over several connections, so that nothing is lost and nothing comes twice.
 *
 * Every line begins with the time at which it was written, and a connection can be asked to begin at a time, of whole seconds: it then brings
 * again what was written since. Lines of standard output and error may be a little out of order, so what is known already is told by its place
 * among the lines and not by its time alone. A line may come in pieces, and break off anywhere.
 */
export class LogLines {
  /** Time stamps of the lines that have come, no older than {@link since}. */
  #known: string[] = [];
  /** Bytes that have come of the last one, its end included. */
  #bytes = 0;
  #latest = 0;

  readonly #isStamped: boolean;

  /** @param isStamped whether the lines keep their time stamps */
  constructor(isStamped = false) {
    this.#isStamped = isStamped;
  }

  // Of this connection:
  /** Lines to come that are known, undefined until the first one tells. */
  #skip: number | undefined;
  #stamp = "";
  #isInLine = false;
  #isOther = false;
  /** Bytes of this line that are known. */
  #skipBytes = 0;

  /** The time to begin a connection at; undefined: at the beginning. To be asked before each connection. */
  since(): string | undefined {
    this.#skip = undefined;
    this.#stamp = "";
    this.#isInLine = false;
    this.#isOther = false;
    this.#skipBytes = 0;
    return this.#latest === 0 ? undefined : new Date(this.#oldest()).toISOString().replace(".000Z", "Z");
  }

  /** Whether this connection brought something else than lines: a kubelet says so where it does not have the log, or no longer. */
  get isOther(): boolean {
    return this.#isOther;
  }

  /** @returns what is new in it */
  write(chunk: Buffer): Buffer {
    const fresh: Buffer[] = [];
    if (this.#isOther) return Buffer.alloc(0);
    for (let at = 0; at < chunk.length; ) {
      if (!this.#isInLine) {
        const end = chunk.indexOf(" ", at);
        this.#stamp += chunk.toString("latin1", at, end < 0 ? chunk.length : end);
        if (this.#stamp.length > longestStamp || (end >= 0 && !stampPattern.test(this.#stamp))) {
          this.#isOther = true;
          break;
        }
        if (end < 0) break;
        at = end + 1;
        if (this.#begin(this.#stamp) && this.#isStamped) fresh.push(Buffer.from(`${this.#stamp} `));
        this.#stamp = "";
        this.#isInLine = true;
        if (at === chunk.length) break;
      }
      const end = chunk.indexOf("\n", at);
      const stop = end < 0 ? chunk.length : end + 1;
      fresh.push(this.#take(chunk.subarray(at, stop)));
      if (end >= 0) this.#isInLine = false;
      at = stop;
    }
    return fresh.length === 1 ? (fresh[0] as Buffer) : Buffer.concat(fresh);
  }

  /** @returns whether the line is a new one */
  #begin(stamp: string): boolean {
    // What was rotated away cannot come again: the first line tells how much of the known ones does.
    if (this.#skip === undefined) {
      const first = this.#known.indexOf(stamp);
      this.#skip = first < 0 ? 0 : this.#known.length - first;
    }
    if (this.#skip > 0) {
      this.#skip -= 1;
      this.#skipBytes = this.#skip > 0 ? Number.POSITIVE_INFINITY : this.#bytes;
      return false;
    }
    this.#skipBytes = 0;
    this.#bytes = 0;
    const time = Math.floor(Date.parse(stamp) / 1000) * 1000;
    if (time > this.#latest) {
      this.#latest = time;
      const oldest = this.#oldest();
      this.#known = this.#known.filter((each) => Date.parse(each) >= oldest);
    }
    this.#known.push(stamp);
    if (this.#known.length > 2 * mostKnown) this.#known = this.#known.slice(-mostKnown);
    return true;
  }

  #take(piece: Buffer): Buffer {
    const known = Math.min(this.#skipBytes, piece.length);
    this.#skipBytes -= known;
    const fresh = piece.subarray(known);
    this.#bytes += fresh.length;
    return fresh;
  }

  /** Milliseconds: a second before the latest one, for lines that are out of order. */
  #oldest(): number {
    return this.#latest - 1000;
  }
}
