import { once } from "node:events";
import type { Readable, Writable } from "node:stream";

/** Takes output. A promise settles once there is room for more. */
export type Sink = (data: Buffer) => void | Promise<void>;

/** Passes on what comes, and reads no further while there is no room for it. */
export function flow(from: Readable, to: Sink): void {
  from.on("data", (chunk: Buffer) => {
    const pending = to(chunk);
    if (pending === undefined) return;
    from.pause();
    void pending.finally(() => from.resume());
  });
}

/** The promise settles once there is room for more. */
export function writeTo(stream: Writable, data: Buffer | string): void | Promise<void> {
  if (stream.write(data) || stream.destroyed) return undefined;
  const over = new AbortController();
  const { signal } = over;
  // One that is closed has no reader for whom to wait.
  const room = ["drain", "close"].map((event) => once(stream, event, { signal }).catch(() => {}));
  return Promise.race(room).then(() => over.abort());
}
