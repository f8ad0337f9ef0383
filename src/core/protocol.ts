import type { Environment } from "./environment.ts";
import type { Sink } from "./flow.ts";
import { isDeeper, maximumValueDepth } from "./json-depth.ts";
import { isWireError, type WireError } from "./wire-error.ts";

/** Random text in front of the result line, so that nothing a function prints is taken for it. */
export const nonceVariable = "SLIPWAY_CALL_NONCE";

/** Path of a file with the arguments, where they are not on standard input. */
export const inputVariable = "SLIPWAY_CALL_INPUT";
/** Path of a file for the result line, where there is one and the line is at most {@link maximumResultFile} long. */
export const resultFileVariable = "SLIPWAY_CALL_RESULT";
/** Bytes: what Kubernetes keeps of a container's termination message. */
export const maximumResultFile = 4096;

/** The function that is the whole program: see docs/worker-protocol.md. */
export const wholeProgram = "main()";

/** Set by a user: what would be done is printed, and not done. */
export const dryRunVariable = "SLIPWAY_DRY_RUN";

/** True if the program starts, and its calls are printed instead of made. Keep python/slipway the same. */
export function showsSteps(env: Environment): boolean {
  return env[dryRunVariable] === "steps";
}

/** In {@link resultFileVariable}: the answer is on standard output. Logs may lose it, because nodes rotate them. */
export interface LoggedReply {
  readonly logged: number;
}

/** The answer of a function's process: a result (left out for `void`), or an error. */
export type Reply = { readonly result?: unknown } | { readonly error: WireError };

/** Anything but an answer is the function's failure. Keep python/slipway/_protocol.py the same. */
export function parseReply(text: string, parse: (text: string) => unknown = JSON.parse): Reply | LoggedReply {
  const reply = isDeeper(text, maximumValueDepth) ? undefined : parsed(text, parse);
  if (isReply(reply)) return reply;
  const message = `The function's process sent an answer that is damaged, or nested more than ${maximumValueDepth} deep.\nReturn a flatter value. If the image was built by another version of Slipway, build it again.`;
  return { error: { name: "Failure", message, details: message } };
}

function parsed(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function isReply(value: unknown): value is Reply | LoggedReply {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  if ("logged" in value) return typeof value.logged === "number";
  return !("error" in value) || isWireError(value.error);
}

function partialMatch(data: Buffer, mark: Buffer): number {
  for (let length = Math.min(mark.length - 1, data.length); length > 0; length--) {
    if (data.subarray(data.length - length).equals(mark.subarray(0, length))) return length;
  }
  return 0;
}

/** Picks the result line out of standard output. All else goes to `other` at once, with or without line ends. */
export class ResultReader {
  readonly #mark: Buffer;
  readonly #limit: number;
  readonly #other: Sink;
  #held: Buffer = Buffer.alloc(0);
  #line: Buffer[] | undefined;
  #size = 0;
  #reply: string | undefined;

  /** @param limit the most bytes a reply may take; a longer one is not kept */
  constructor(nonce: string, limit: number, other: Sink) {
    this.#mark = Buffer.from(`\x1eslipway ${nonce} `);
    this.#limit = limit;
    this.#other = other;
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#reply !== undefined) return this.#other(chunk);
    if (this.#line !== undefined) return this.#collect(this.#line, chunk);
    return this.#search(Buffer.concat([this.#held, chunk]));
  }

  #search(data: Buffer): void | Promise<void> {
    const start = data.indexOf(this.#mark);
    const end = start < 0 ? data.length - partialMatch(data, this.#mark) : start;
    const pending = end > 0 ? this.#other(data.subarray(0, end)) : undefined;
    this.#held = start < 0 ? data.subarray(end) : Buffer.alloc(0);
    if (start < 0) return pending;
    this.#line = [];
    return this.#collect(this.#line, data.subarray(start + this.#mark.length)) ?? pending;
  }

  #collect(line: Buffer[], chunk: Buffer): void | Promise<void> {
    const end = chunk.indexOf("\n");
    const part = end < 0 ? chunk : chunk.subarray(0, end);
    this.#size += part.length;
    if (this.#size <= this.#limit) line.push(part);
    if (end < 0) return undefined;
    this.#reply = this.#size <= this.#limit ? Buffer.concat(line).toString() : "";
    return end + 1 < chunk.length ? this.#other(chunk.subarray(end + 1)) : undefined;
  }

  end(): string | undefined {
    if (this.#held.length > 0) this.#other(this.#held);
    return this.#reply || undefined;
  }
}
