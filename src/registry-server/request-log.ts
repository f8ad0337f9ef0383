import { appendFileSync, renameSync, statSync } from "node:fs";
import { systemCode } from "./errors.ts";

/** Bytes. One old log is kept. */
const rotateAt = 1024 * 1024;

export interface RequestRecord {
  /** ISO 8601. */
  readonly time: string;
  readonly transport: "socket" | "tcp";
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly received: number;
  readonly sent: number;
}

/** Writes a line of JSON before the answer, so that whoever has that finds it. No headers, which contain tokens. */
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
      // The registry must answer even if the disk is full.
      if (systemCode(error) === undefined) throw error;
    }
  }
}
