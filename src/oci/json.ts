import { type ErrorIdentity, UserError } from "../core/errors.ts";
import { isDeeper } from "../core/json-depth.ts";
import { type Digest, isDigest } from "./digest.ts";

const usualRemedy = "Make it again with a tool that writes OCI or Docker (schema 2) images.";

/** Deeper documents exhaust the stack when they are written. */
const maximumDepth = 200;

/** A signed SBOM of 60,000 packages has half of them. */
const maximumValues = 1_000_000;

type JsonObject = { readonly [key: string]: unknown };

export interface JsonContext {
  readonly document: string;
  readonly remedy?: string | undefined;
  readonly identity?: Partial<ErrorIdentity> | undefined;
}

/** A JSON value with its path, for errors. Own code, because the launcher uses it and must start fast. */
export class JsonNode {
  readonly value: unknown;
  readonly #context: JsonContext;
  readonly #path: string;

  constructor(value: unknown, context: JsonContext, path = "") {
    this.value = value;
    this.#context = context;
    this.#path = path;
  }

  fail(problem: string): never {
    const { document, remedy = usualRemedy, identity } = this.#context;
    throw new UserError(
      { code: "image-invalid", culprit: this.#path || document, ...identity },
      `${document}: ${this.#path || "the document"} ${problem}.`,
      remedy,
    );
  }

  #isNot(what: string): never {
    return this.fail(this.value === undefined ? "is missing" : `is not ${what}`);
  }

  get(key: string): JsonNode {
    return new JsonNode(this.object()[key], this.#context, this.#path === "" ? key : `${this.#path}.${key}`);
  }

  optional(key: string): JsonNode | undefined {
    const node = this.get(key);
    return node.present ? node : undefined;
  }

  /** Null counts as absent, since Go's encoders write it for nothing. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  object(): JsonObject {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) this.#isNot("an object");
    return this.value as JsonObject;
  }

  items(): JsonNode[] {
    if (!Array.isArray(this.value)) this.#isNot("a list");
    const items = this.value as readonly unknown[];
    return items.map((item, index) => new JsonNode(item, this.#context, `${this.#path}[${index}]`));
  }

  string(): string {
    if (typeof this.value !== "string") this.#isNot("a text");
    return this.value as string;
  }

  size(): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < 0) this.#isNot("a size in bytes");
    return this.value as number;
  }

  digest(): Digest {
    if (!isDigest(this.value)) this.#isNot(`a sha256 or sha512 digest: ${JSON.stringify(this.value)}`);
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

/** Default: the remedy and code for images. @throws UserError if the bytes are not UTF-8 or not JSON */
export function parseJson(
  bytes: Uint8Array | string,
  document: string,
  remedy?: string,
  identity?: Partial<ErrorIdentity>,
): JsonNode {
  try {
    const context = { document, remedy, identity };
    if (isDeeper(bytes, maximumDepth, maximumValues))
      new JsonNode(undefined, context).fail(`has more than ${maximumDepth} nested values, or ${maximumValues} in all`);
    const text = typeof bytes === "string" ? bytes : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return new JsonNode(JSON.parse(text), context);
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    throw new UserError(
      { code: "image-invalid", culprit: document, ...identity },
      `${document} is not JSON: ${cause.message}.`,
      remedy ?? "Make it again; it may have been cut short.",
      { cause },
    );
  }
}

/** JSON with sorted keys and no white space, so that equal values give equal bytes. */
export function canonicalJson(value: unknown): Uint8Array<ArrayBuffer> {
  const sort = (_key: string, item: unknown): unknown =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item;
  return new TextEncoder().encode(JSON.stringify(value, sort));
}
