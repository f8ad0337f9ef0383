import type { Sink } from "../core/flow.ts";

// Frames of docs/worker-protocol.md.

export const protocolVersion = 1;
/** Bytes of a header, and of all bodies of a frame. */
const longestHeader = 64 * 1024;
const longestBodies = 256 * 1024 * 1024;

export class FrameError extends Error {}

export type Bodies = readonly Uint8Array[];

/** Takes frames out of the pieces in which they come. */
export class FrameReader<Header> {
  readonly #onFrame: (header: Header, bodies: readonly Buffer[]) => void;
  #pieces: Buffer[] = [];
  #length = 0;
  /** Bytes without which nothing can be taken. */
  #needed = 1;

  constructor(onFrame: (header: Header, bodies: readonly Buffer[]) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws FrameError for what is no frame */
  write(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length < this.#needed) return;
    const data = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#length);
    const taken = this.#take(data);
    this.#pieces = taken < data.length ? [data.subarray(taken)] : [];
    this.#length = data.length - taken;
  }

  #take(data: Buffer): number {
    let at = 0;
    while (at < data.length) {
      const end = data.indexOf(10, at);
      if (end < 0 || end - at > longestHeader) {
        if (data.length - at > longestHeader) throw new FrameError("a header is too long");
        this.#needed = data.length - at + 1;
        return at;
      }
      const header = parse(data.toString("utf8", at, end));
      const sizes = header.sizes ?? [];
      let position = end + 1;
      const total = sizes.reduce((sum, size) => sum + size, position - at);
      if (data.length - at < total) {
        this.#needed = total;
        return at;
      }
      const bodies = sizes.map((size) => {
        position += size;
        return data.subarray(position - size, position);
      });
      at = position;
      this.#onFrame(header as Header, bodies);
    }
    this.#needed = 1;
    return at;
  }
}

function parse(text: string): { readonly sizes?: readonly number[] } {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw new FrameError("a header is not JSON");
  }
  if (typeof header !== "object" || header === null || typeof (header as { type?: unknown }).type !== "string")
    throw new FrameError("a header has no type");
  const { sizes } = header as { readonly sizes?: unknown };
  if (sizes === undefined) return header;
  const isRight = Array.isArray(sizes) && sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isRight || sizes.reduce((sum, size) => sum + size, 0) > longestBodies)
    throw new FrameError("a header has wrong sizes");
  return header as { readonly sizes: readonly number[] };
}

const enough = 64 * 1024;

/** Writes frames, those of one turn of the event loop together. */
export class FrameWriter<Header extends { readonly type: string }> {
  readonly #write: Sink;
  #pieces: (string | Uint8Array)[] = [];
  #length = 0;
  #scheduled: NodeJS.Immediate | undefined;
  #room: void | Promise<void> = undefined;

  constructor(write: Sink) {
    this.#write = write;
  }

  send(header: Header, bodies: Bodies = []): void {
    this.sendText(JSON.stringify(header).slice(1, -1), bodies);
  }

  /** `members` is JSON without the braces: for headers that are written often. */
  sendText(members: string, bodies: Bodies = []): void {
    const sizes = bodies.length === 0 ? "" : `,"sizes":[${bodies.map(({ length }) => length).join()}]`;
    this.#pieces.push(`{${members}${sizes}}\n`, ...bodies);
    this.#length += members.length;
    for (const body of bodies) this.#length += body.length;
    if (this.#length >= enough) this.flush();
    else this.#scheduled ??= setImmediate(() => this.flush());
  }

  /** A promise settles when there is room for more. */
  get room(): void | Promise<void> {
    return this.#room;
  }

  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#length = 0;
    if (this.#pieces.length === 0) return;
    const pieces = this.#pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece));
    this.#pieces = [];
    const room = this.#write(Buffer.concat(pieces));
    if (room === undefined) return;
    this.#room = room;
    void room.finally(() => {
      if (this.#room === room) this.#room = undefined;
    });
  }
}
