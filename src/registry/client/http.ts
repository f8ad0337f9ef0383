import type { Agent, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";

// Node's own HTTP client, asked for by getBuiltinModule: importing undici costs 50 ms at start-up and `import "node:http"` 20 ms (its
// namespace touches the WebSocket getter, which loads the undici inside Node), this way 3 ms. Medians of 25 runs, Node 24, 2 cores.
const builtin = (name: "node:http" | "node:https") => process.getBuiltinModule(name as "node:http");

/** Content to send. It may be opened again for another attempt. */
export interface Body {
  /** Bytes that will come. */
  readonly length: number;
  open(): Readable | Uint8Array;
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called with a count of bytes whenever some of the body were handed to the connection. */
  readonly onSent?: ((bytes: number) => void) | undefined;
  /** In place of the connection's. */
  readonly idleTimeout?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Must be read to its end, or destroyed, for the connection to be used again. */
  readonly body: IncomingMessage;
}

/** The source of a request's body failed: trying the request again would not help. */
export class BodyError extends Error {
  override readonly name = "BodyError";
}

export interface HttpOptions {
  /** Requests to `origin` go through this Unix socket. */
  readonly socketPath?: string | undefined;
  /** The origin that `socketPath` stands for. */
  readonly origin: string;
  /** Connections to one origin at a time. */
  readonly connections: number;
  /** Milliseconds until a connection must stand. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte in either direction until a request counts as lost. */
  readonly idleTimeout: number;
}

/** Sends requests over kept-alive connections. Knows nothing of registries: no redirects, no retries, no authentication. */
export class HttpConnection {
  readonly #options: HttpOptions;
  readonly #agents = new Map<string, Agent>();

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /**
   * @throws BodyError when the body's source fails, else Node's own error with its `code` when the connection does
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const { url, body } = request;
    const viaSocket = this.#options.socketPath !== undefined && url.origin === this.#options.origin;
    const http = builtin(url.protocol === "https:" ? "node:https" : "node:http");
    const outgoing = http.request(url, {
      method: request.method,
      agent: this.#agent(url.protocol === "https:" ? "https" : viaSocket ? "unix" : "http"),
      headers: {
        ...request.headers,
        ...(body || request.method === "POST" ? { "content-length": body?.length ?? 0 } : {}),
      },
      // Asked for plain HTTP, Node would still find out whether the host is an IPv6 address, by a regular expression that takes 2 ms to compile.
      ...(url.protocol === "https:" ? {} : { servername: "" }),
      ...(viaSocket ? { socketPath: this.#options.socketPath as string } : {}),
      ...(request.signal ? { signal: request.signal } : {}),
    });
    this.#limitTime(outgoing, request.idleTimeout ?? this.#options.idleTimeout);
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on("response", resolve);
      outgoing.on("error", reject);
    });
    // An early answer (a refusal, mostly) ends the sending; then the failure to send is of no interest.
    const [incoming] = await Promise.all([
      response,
      body ? sendBody(outgoing, body, response, request.onSent) : outgoing.end(),
    ]);
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming };
  }

  /** Ends idle connections and refuses to keep others. */
  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
  }

  #agent(kind: "http" | "https" | "unix"): Agent {
    let agent = this.#agents.get(kind);
    if (!agent) {
      const http = builtin(kind === "https" ? "node:https" : "node:http");
      agent = new http.Agent({ keepAlive: true, maxSockets: this.#options.connections });
      this.#agents.set(kind, agent);
    }
    return agent;
  }

  #limitTime(outgoing: import("node:http").ClientRequest, idleTimeout: number): void {
    const { connectTimeout } = this.#options;
    const late = (what: string, after: number) =>
      outgoing.destroy(
        Object.assign(new Error(`${what} within ${Math.round(after / 1000)} s`), { code: "ETIMEDOUT" as const }),
      );
    outgoing.setTimeout(idleTimeout, () => late("nothing was heard", idleTimeout));
    outgoing.on("socket", (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => late("no connection was made", connectTimeout), connectTimeout);
      const stop = () => clearTimeout(timer);
      socket.once("connect", stop);
      socket.once("close", stop);
    });
  }
}

/** Hands a body to the connection as fast as that takes it, and stops when the server answers before it has all of it. */
async function sendBody(
  outgoing: import("node:http").ClientRequest,
  body: Body,
  response: Promise<IncomingMessage>,
  onSent: ((bytes: number) => void) | undefined,
): Promise<void> {
  const content = body.open();
  if (content instanceof Uint8Array) {
    outgoing.end(content);
    onSent?.(content.length);
    return;
  }
  let answered = false;
  let wake = () => {};
  const stop = () => {
    answered = true;
    content.destroy();
    wake();
  };
  response.then(stop, stop);
  outgoing.on("drain", () => wake());
  let sent = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      sent += chunk.length;
      if (sent > body.length || answered) break;
      if (!outgoing.write(chunk)) await new Promise<void>((resolve) => (wake = resolve));
      onSent?.(chunk.length);
    }
    if (!answered && sent !== body.length) {
      throw new Error(`it has ${sent > body.length ? "more" : "fewer"} bytes than the ${body.length} expected`);
    }
  } catch (cause) {
    if (answered) return;
    const error = new BodyError((cause as Error).message, { cause });
    outgoing.destroy(error);
    throw error;
  }
  if (!answered) {
    outgoing.end();
    return;
  }
  // The rest of the body is owed on this connection, so nothing else may be sent on it.
  response.then(
    (incoming) => incoming.once("close", () => outgoing.destroy()),
    () => {},
  );
}
