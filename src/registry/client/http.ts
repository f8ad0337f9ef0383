import type { Agent, IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { AgentOptions } from "node:https";
import type { Readable } from "node:stream";
import { isTrustFault, secureContext, type Trust, type Width } from "../../config/trust.ts";
import type { Environment } from "../../core/environment.ts";
import { type HttpProxy, proxyFor } from "./proxy.ts";
import { keepSpare, type SpareConnection } from "./spare-connection.ts";

// getBuiltinModule takes 3 ms, `import "node:http"` 20 ms and undici 50 ms (medians of 25 runs, Node 24, 2 cores): the
// namespace of node:http touches the WebSocket getter, which loads Node's own undici.
const builtin = (name: "node:http" | "node:https") => process.getBuiltinModule(name as "node:http");

/** A retry opens it again. */
export interface Body {
  readonly length: number;
  open(): Readable | Uint8Array;
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly idleTimeout?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Read it to its end or destroy it, or the connection cannot be reused. */
  readonly body: IncomingMessage;
}

/** The source of the body failed, so a retry would not help. */
export class BodyError extends Error {
  override readonly name = "BodyError";
}

export interface HttpOptions {
  readonly socketPath?: string | undefined;
  readonly origin: string;
  readonly connections: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte. */
  readonly idleTimeout: number;
  readonly trust?: Trust | undefined;
  /** For `https_proxy`, `http_proxy` and `no_proxy`. */
  readonly env: Environment;
}

export interface FaultBehindProxy extends NodeJS.ErrnoException {
  /** `HOST:PORT (VARIABLE)`. */
  proxy?: string;
  statusCode?: number;
}

/** Keeps connections alive. Follows no redirects, retries nothing, authenticates nothing. */
export class HttpConnection {
  readonly #options: HttpOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #spares: SpareConnection[] = [];
  #width: Width = "narrow";

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** @throws BodyError if the body's source fails, Node's error with its `code` if the connection fails */
  async send(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted();
    const width = this.#width;
    try {
      return await this.#sendOnce(request, width);
    } catch (error) {
      // A rejected certificate comes before anything is sent.
      if (width === "wide" || !isTrustFault(error)) throw error;
      this.#width = "wide";
      return this.#sendOnce(request, "wide");
    }
  }

  async #sendOnce(request: HttpRequest, width: Width): Promise<HttpResponse> {
    const { url, body } = request;
    const { origin, socketPath, connectTimeout, env } = this.#options;
    const own = url.origin === origin;
    const viaSocket = socketPath !== undefined && own;
    const isTls = url.protocol === "https:";
    const proxy = viaSocket ? undefined : proxyFor(url, env);
    const outgoing = builtin(isTls ? "node:https" : "node:http").request(url, {
      method: request.method,
      agent: viaSocket ? this.#agent("unix") : isTls ? this.#tlsAgent(own, width, proxy) : this.#agent("http", proxy),
      headers: {
        ...request.headers,
        ...(body || request.method === "POST" ? { "content-length": body?.length ?? 0 } : {}),
      },
      // Otherwise Node compiles a regular expression (2 ms) to find out whether the host is an IPv6 address.
      ...(isTls ? {} : { servername: "" }),
      ...(viaSocket ? { socketPath } : {}),
      // For the connection to the proxy only.
      ...(proxy && isTls ? { timeout: connectTimeout } : {}),
      ...(request.signal ? { signal: request.signal } : {}),
    });
    this.#limitTime(outgoing, request.idleTimeout ?? this.#options.idleTimeout);
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on("response", resolve);
      outgoing.on("error", (error: FaultBehindProxy) => {
        if (proxy) error.proxy = `${proxy.url.host} (${proxy.variable})`;
        reject(error);
      });
    });
    // An early answer, usually a refusal, stops the sending: ignore the send error.
    const [incoming] = await Promise.all([
      response,
      body ? sendBody(outgoing, body, response, request.onSent) : outgoing.end(),
    ]);
    return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming };
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.destroy();
    for (const spare of this.#spares.splice(0)) spare.close();
  }

  /** The client certificate is only for the registry, so its connections are separate. */
  #tlsAgent(own: boolean, width: Width, proxy: HttpProxy | undefined): Agent {
    return this.#agent(`${own ? "own" : "other"} ${width}`, proxy, () => {
      const context = secureContext(this.#options.trust ?? {}, width, own);
      return context ? { secureContext: context } : {};
    });
  }

  /** @param kind separates connections besides origin and proxy */
  #agent(kind: string, proxy?: HttpProxy, tlsOptions?: () => AgentOptions): Agent {
    const key = `${kind} ${proxy?.url.href ?? ""}`;
    let agent = this.#agents.get(key);
    if (!agent) {
      const http = builtin(tlsOptions ? "node:https" : "node:http");
      agent = new http.Agent({
        keepAlive: true,
        maxSockets: this.#options.connections,
        ...tlsOptions?.(),
        ...(proxy ? { proxyEnv: { [tlsOptions ? "https_proxy" : "http_proxy"]: proxy.url.href } } : {}),
      });
      if (!proxy && kind !== "unix") this.#spares.push(keepSpare(agent));
      this.#agents.set(key, agent);
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
    // A server that drips its header fields is never silent.
    outgoing.on("finish", () => {
      const timer = setTimeout(() => late("no whole answer was heard", idleTimeout), idleTimeout);
      for (const end of ["response", "close"]) outgoing.once(end, () => clearTimeout(timer));
    });
    outgoing.on("socket", (socket) => {
      if (!socket.connecting) return;
      const timer = setTimeout(() => late("no connection was made", connectTimeout), connectTimeout);
      const stop = () => clearTimeout(timer);
      socket.once("connect", stop);
      socket.once("close", stop);
    });
  }
}

/** Stops if the server answers early. */
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
  // The server expects the rest of the body, so the connection cannot be reused.
  response.then(
    (incoming) => incoming.once("close", () => outgoing.destroy()),
    () => {},
  );
}
