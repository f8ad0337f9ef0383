import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Store } from "../store.ts";

/** How a request came: over the Unix socket, which is its owner's alone, or over loopback TCP, which is anybody's. */
export type Transport = "socket" | "tcp";

/** The body of a request, read once, with the number of bytes that were. */
export class Body implements AsyncIterable<Buffer> {
  received = 0;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage) {
    this.#message = message;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    // Not destroyed when its reader stops early: the answer has yet to go out on the same connection.
    for await (const chunk of this.#message.iterator({ destroyOnReturn: false })) {
      this.received += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
}

/** What a handler of an endpoint has at hand. */
export interface Exchange {
  readonly store: Store;
  readonly request: FastifyRequest;
  readonly body: Body;
  readonly query: URLSearchParams;
  readonly reply: FastifyReply;
  readonly transport: Transport;
}
