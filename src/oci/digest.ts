import type { Hash } from "node:crypto";
import { Transform } from "node:stream";

/** Hash functions that the OCI image specification registers. */
type DigestAlgorithm = "sha256" | "sha512";

// Loading node:crypto takes about 2 ms, and a launch with nothing to push hashes nothing.
const newHash = (algorithm: DigestAlgorithm) => process.getBuiltinModule("node:crypto").createHash(algorithm);

/** A content address, `sha256:<64 lower-case hex digits>` (or sha512): OCI image specification, "Digests". */
export type Digest = `${DigestAlgorithm}:${string}`;

/** Whether a text is a digest that Slipway can verify. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
}

/** Splits a digest into algorithm and hex text, as in the folders of an OCI layout. */
export function splitDigest(digest: Digest): { algorithm: DigestAlgorithm; hex: string } {
  const colon = digest.indexOf(":");
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}

/** The sha256 digest of bytes, or of a text in UTF-8. */
export function sha256(bytes: Uint8Array | string): Digest {
  return digestOf("sha256", bytes);
}

/** The digest of bytes, or of a text in UTF-8, by the given algorithm. */
export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array | string): Digest {
  return `${algorithm}:${newHash(algorithm).update(bytes).digest("hex")}`;
}

/** Content that does not match its digest. It was damaged in transit or on disk, so this is never the user's mistake. */
export class DigestMismatch extends Error {
  override readonly name = "DigestMismatch";
  readonly expected: Digest;
  readonly actual: Digest;

  constructor(expected: Digest, actual: Digest) {
    super(`content has digest ${actual}, not ${expected}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/**
 * A stream that passes bytes on and verifies them. Fails at the end with {@link DigestMismatch} if they do not match `expected`, or with a
 * `RangeError` as soon as there are more than `size` bytes. Readers must not trust any byte before the stream has ended.
 */
export class DigestVerifier extends Transform {
  readonly #expected: Digest;
  readonly #size: number | undefined;
  readonly #hash: Hash;
  #seen = 0;

  /** @param size expected number of bytes, if known */
  constructor(expected: Digest, size?: number) {
    super();
    this.#expected = expected;
    this.#size = size;
    this.#hash = newHash(splitDigest(expected).algorithm);
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, data?: Buffer) => void,
  ): void {
    this.#seen += chunk.length;
    if (this.#size !== undefined && this.#seen > this.#size) {
      done(new RangeError(`content of ${this.#expected} is longer than its ${this.#size} bytes`));
      return;
    }
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: (error: Error | null) => void): void {
    if (this.#size !== undefined && this.#seen !== this.#size) {
      done(new RangeError(`content of ${this.#expected} ended after ${this.#seen} of its ${this.#size} bytes`));
      return;
    }
    const actual: Digest = `${splitDigest(this.#expected).algorithm}:${this.#hash.digest("hex")}`;
    done(actual === this.#expected ? null : new DigestMismatch(this.#expected, actual));
  }
}
