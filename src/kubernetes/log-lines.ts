/** The time at the beginning of a line: RFC 3339 with nanoseconds and a zone. */
const stampPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const longestStamp = 40;
const mostKnown = 100_000;

/**
 * Joins a log that comes over several connections, without loss or repetition. A new one can begin at a time in whole
 * seconds. Lines of output and error may be out of order, so their position tells which are known, not only their time.
 * A line may break off anywhere.
 */
export class LogLines {
  /** Times of the known lines, no older than {@link since}. */
  #known: string[] = [];
  /** Known bytes of the last line, with its end. */
  #bytes = 0;
  #latest = 0;

  readonly #isStamped: boolean;

  /** @param isStamped whether the lines keep their times */
  constructor(isStamped = false) {
    this.#isStamped = isStamped;
  }

  // Of this connection:
  /** Known lines to skip. Undefined until the first line. */
  #skip: number | undefined;
  #stamp = "";
  #isInLine = false;
  #isOther = false;
  /** Known bytes of this line to skip. */
  #skipBytes = 0;

  /** The start of a new connection. Undefined: the start of the log. Call it before each connection. */
  since(): string | undefined {
    this.#skip = undefined;
    this.#stamp = "";
    this.#isInLine = false;
    this.#isOther = false;
    this.#skipBytes = 0;
    return this.#latest === 0 ? undefined : new Date(this.#oldest()).toISOString().replace(".000Z", "Z");
  }

  /** Whether this connection brought no log lines: a kubelet without the log sends a message. */
  get isOther(): boolean {
    return this.#isOther;
  }

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
    // Rotated lines do not come again, so the first line tells how many known ones do.
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

  /** A second before the latest line, because lines may be out of order. */
  #oldest(): number {
    return this.#latest - 1000;
  }
}
