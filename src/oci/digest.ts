import type { Hash } from "node:crypto";
import { Transform } from "node:stream";

/** The OCI image specification registers these. */
type DigestAlgorithm = "sha256" | "sha512";

// Loading node:crypto takes about 2 ms, and a launch with nothing to push hashes nothing.
const newHash = (algorithm: DigestAlgorithm) => process.getBuiltinModule("node:crypto").createHash(algorithm);

/** `sha256:<64 lower-case hex digits>` (or sha512): OCI image specification, "Digests". */
export type Digest = `${DigestAlgorithm}:${string}`;

export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
}

export function splitDigest(digest: Digest): { algorithm: DigestAlgorithm; hex: string } {
  const colon = digest.indexOf(":");
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}

export function sha256(bytes: Uint8Array | string): Digest {
  return digestOf("sha256", bytes);
}

export function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array | string): Digest {
  return `${algorithm}:${newHash(algorithm).update(bytes).digest("hex")}`;
}

/** Damage in transit or on disk, so never the user's mistake. */
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

/** Trust no bytes before the end, where {@link DigestMismatch} comes; a `RangeError` after more than `size` bytes. */
export class DigestVerifier extends Transform {
  readonly #expected: Digest;
  readonly #size: number | undefined;
  readonly #hash: Hash;
  #seen = 0;

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
