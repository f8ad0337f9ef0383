import { appendFileSync, renameSync, statSync } from "node:fs";
import { systemCode } from "./errors.ts";

/** Size in bytes at which the log is rotated. One old log is kept. */
const rotateAt = 1024 * 1024;

export interface RequestRecord {
  /** ISO 8601. */
  readonly time: string;
  readonly transport: "socket" | "tcp";
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Bytes of the request's body that were taken. */
  readonly received: number;
  /** Bytes that the answer's body has. */
  readonly sent: number;
}

/**
 * Logs one JSON line per request, in a file of at most 1 MiB plus one old file. Writes the line before the answer is sent, so that a client that
 * has the answer finds it in the log. Never logs headers, since they contain tokens.
 */
export class RequestLog {
  readonly #path: string;
  #size: number;

  constructor(path: string) {
    this.#path = path;
    this.#size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  write(record: RequestRecord): void {
    const line = `${JSON.stringify(record)}\n`;
    try {
      if (this.#size > rotateAt) {
        renameSync(this.#path, `${this.#path}.1`);
        this.#size = 0;
      }
      appendFileSync(this.#path, line, { mode: 0o600 });
      this.#size += line.length;
    } catch (error) {
      // Ignore errors: the registry must answer even if the disk is full.
      if (systemCode(error) === undefined) throw error;
    }
  }
}
