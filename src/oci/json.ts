import { type Digest, isDigest } from "./digest.ts";
import { UserError } from "./errors.ts";

export type JsonObject = { readonly [key: string]: unknown };

/**
 * A value read from JSON together with the way to it, so that every complaint names the document and the field. Written by hand
 * because the launcher, whose start-up time everyone waits for, reads manifests too.
 */
export class JsonNode {
  readonly value: unknown;
  readonly #document: string;
  readonly #path: string;

  constructor(value: unknown, document: string, path = "") {
    this.value = value;
    this.#document = document;
    this.#path = path;
  }

  /** Fails with the document and field named. */
  fail(problem: string): never {
    throw new UserError(
      `${this.#document}: ${this.#path === "" ? "the document" : this.#path} ${problem}.`,
      "Make it again with a tool that writes OCI or Docker (schema 2) images.",
    );
  }

  /** The field `key` of this object; its value is undefined when absent. */
  get(key: string): JsonNode {
    return new JsonNode(this.object()[key], this.#document, this.#path === "" ? key : `${this.#path}.${key}`);
  }

  /** Whether this value is there at all. Go's encoders write null for nothing. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  object(): JsonObject {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value))
      this.fail("is not an object");
    return this.value as JsonObject;
  }

  items(): JsonNode[] {
    if (!Array.isArray(this.value)) this.fail("is not a list");
    return (this.value as unknown[]).map(
      (item, index) => new JsonNode(item, this.#document, `${this.#path}[${index}]`),
    );
  }

  string(): string {
    if (typeof this.value !== "string") this.fail("is not a text");
    return this.value as string;
  }

  /** A count of bytes: a whole number from 0 on. */
  size(): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 0) this.fail("is not a size in bytes");
    return this.value as number;
  }

  digest(): Digest {
    if (!isDigest(this.value)) this.fail(`is not a sha256 or sha512 digest: ${JSON.stringify(this.value)}`);
    return this.value as Digest;
  }

  strings(): string[] {
    return this.items().map((item) => item.string());
  }

  stringMap(): Readonly<Record<string, string>> {
    for (const key of Object.keys(this.object())) this.get(key).string();
    return this.value as Record<string, string>;
  }
}

/**
 * Parses JSON bytes.
 *
 * @param document what a person calls it: a path, or `manifest of REPOSITORY:TAG`
 * @throws UserError when the bytes are not UTF-8 or no JSON
 */
export function parseJson(bytes: Uint8Array | string, document: string): JsonNode {
  try {
    const text = typeof bytes === "string" ? bytes : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return new JsonNode(JSON.parse(text), document);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw new UserError(
      `${document} is not JSON: ${cause.message}.`,
      "Make the file again; it may have been cut short.",
      {
        cause,
      },
    );
  }
}

/** JSON with sorted keys and no white space: equal values give equal bytes, in whatever order they were put together. */
export function canonicalJson(value: unknown): Uint8Array<ArrayBuffer> {
  const sort = (_key: string, item: unknown): unknown =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item;
  return new TextEncoder().encode(JSON.stringify(value, sort));
}
