import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { Failure } from "../core/errors.ts";
import type { Digest } from "../oci/digest.ts";

/** Bytes whose SHA-256 takes longer than the start of a thread. */
export const worthThread = 64 << 20;

/** From some MiB on, another thread reads the file back from memory: SHA-256 is most of the time of a stored layer. */
export class BlobHash {
  readonly #path: string;
  readonly #fd: number;
  readonly #hash = createHash("sha256");
  #size = 0;
  #thread: { readonly worker: Worker; readonly result: Promise<string[]> } | undefined;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  expect(size: number): void {
    if (this.#thread || size < worthThread || size < 2 * this.#size) return;
    const { Worker } = process.getBuiltinModule("node:worker_threads");
    const worker = new Worker(`(${hashFile})()`, { eval: true, workerData: this.#fd });
    const result = once(worker, "message") as Promise<string[]>;
    result.catch(() => {});
    this.#thread = { worker, result };
  }

  update(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#thread) this.#thread.worker.postMessage({ size: this.#size, isLast: false });
    else this.#hash.update(bytes);
  }

  async digest(): Promise<Digest> {
    if (!this.#thread) return `sha256:${this.#hash.digest("hex")}`;
    this.#thread.worker.postMessage({ size: this.#size, isLast: true });
    try {
      const [hex] = await this.#thread.result;
      return `sha256:${hex}`;
    } catch (cause) {
      throw new Failure(
        { code: "file-unreadable", culprit: this.#path },
        `${this.#path} could not be read back to hash it: ${(cause as Error).message}.`,
        "Check the disk and the memory of this machine, then build again.",
        { cause },
      );
    }
  }

  /** The thread must not read once the file is closed. */
  async close(): Promise<void> {
    await this.#thread?.worker.terminate();
  }
}

/** Started from its text, so it uses no names from outside. */
function hashFile(): void {
  const { createHash } = process.getBuiltinModule("node:crypto");
  const { readSync } = process.getBuiltinModule("node:fs");
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafeSlow(1 << 18);
  let at = 0;
  parentPort?.on("message", ({ size, isLast }: { size: number; isLast: boolean }) => {
    while (at < size) {
      const count = readSync(workerData as number, buffer, 0, Math.min(buffer.length, size - at), at);
      if (count === 0) throw new Error("it became shorter");
      hash.update(buffer.subarray(0, count));
      at += count;
    }
    if (isLast) parentPort?.postMessage(hash.digest("hex"));
  });
}
