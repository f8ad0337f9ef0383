import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Store } from "../store.ts";

/** The owner's Unix socket, or loopback TCP, which all local users can reach. */
export type Transport = "socket" | "tcp";

/** Read once; counts the bytes. */
export class Body implements AsyncIterable<Buffer> {
  received = 0;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage) {
    this.#message = message;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Buffer> {
    // Do not destroy it when the reader stops early: the answer uses the same connection.
    for await (const chunk of this.#message.iterator({ destroyOnReturn: false })) {
      this.received += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
}

export interface Exchange {
  readonly store: Store;
  readonly request: FastifyRequest;
  readonly body: Body;
  readonly query: URLSearchParams;
  readonly reply: FastifyReply;
  readonly transport: Transport;
}
