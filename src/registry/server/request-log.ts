import { appendFileSync, renameSync, statSync } from "node:fs";
import { systemCode } from "./errors.ts";

/** Bytes after which the log starts anew; the one before is kept beside it. */
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
 * One JSON line per answered request, in a file that never grows beyond 1 MiB plus its predecessor. A line is written before its
 * answer leaves, so whoever has the answer can count it. Headers, and with them tokens, are never in it.
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
      // A full disk must not keep the registry from answering.
      if (systemCode(error) === undefined) throw error;
    }
  }
}
