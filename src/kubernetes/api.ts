import type { Readable } from "node:stream";
// Not the package's entry: it adds 300 KB to the bundle and 30 ms to every start.
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { HttpMethod, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { type Dispatcher, request } from "undici";
import { Backoff } from "../core/back-off.ts";
import { Failure, UserError } from "../core/errors.ts";
import { patience as firstLine, heartbeat, type Wait } from "../core/heartbeat.ts";
import { type ByteSource, leastPace, ReadLimit, readWhole } from "../core/read-whole.ts";
import { isUnanswered, type Question, refusalError, refusalOf, unansweredError } from "./api-error.ts";
import type { Logins } from "./login.ts";

/** Milliseconds until a response must begin. */
const patience = 30_000;
/** Milliseconds of silence after which a stream counts as broken. A watch gets a bookmark every minute. */
const silence = 120_000;
/** Maximum bytes of a response and of a watch event. 100 pods take 1 MB. */
export const maximumAnswer = 8 * 1024 * 1024;
const maximumRefusal = 256 * 1024;
/** Bytes above which a response is read alone: one long response at a time. */
const shortAnswer = 256 * 1024;
/** For a request that gets no response, or that the server is too busy for. */
const policy = { attempts: 4, firstDelay: 100, factor: 4 };
/** Maximum milliseconds of a `Retry-After` that is obeyed. */
const longestWait = 10_000;
/** Milliseconds for which a restarted server, which has not loaded its roles, may refuse allowed requests. */
const startTime = 30_000;

type Method = "GET" | "POST" | "PATCH" | "DELETE";

export interface Asked {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object;
  /** Default: JSON. For PATCH, a JSON patch if the body is an array, else a merge patch. */
  readonly contentType?: string;
  /** Default: whole objects as JSON. */
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A budget for the responses to several requests. Each response reduces it. */
  readonly room?: { bytes: number };
}

export interface WebSocketLike {
  send(data: Buffer, done: (error?: Error) => void): void;
  close(): void;
  /** Closes it without waiting for the other side. */
  terminate(): void;
  pause(): void;
  resume(): void;
  ping(): void;
  on(event: "pong", listener: () => void): void;
  onclose: (() => void) | null;
  readonly readyState: number;
  readonly bufferedAmount: number;
}

/**
 * The client library reads the kubeconfig. Unlike its client, this one keeps connections, passes on the server's
 * reasons, and can be aborted.
 */
export class Api {
  readonly #config: KubeConfig;
  readonly #names: Pick<Question, "context" | "server" | "user">;
  readonly #logins: Logins;
  #dispatcher: Dispatcher | undefined;
  /** Start times of the requests that have no response yet. */
  readonly #open = new Map<symbol, number>();
  #endNotice: (() => void) | undefined;
  #awaySince = Number.NEGATIVE_INFINITY;
  /** Settled once no long answer is read. */
  #longAnswers = Promise.resolve();
  requests = 0;

  constructor(config: KubeConfig, names: Pick<Question, "context" | "server" | "user">, logins: Logins) {
    this.#config = config;
    this.#logins = logins;
    this.#names = names;
  }

  /** Repeats a request without a response, also a POST: objects have names, and the second gets `AlreadyExists`. */
  async ask<Answer>(method: Method, path: string, asked: Asked = {}): Promise<Answer> {
    const begun = Symbol();
    this.#open.set(begun, Date.now());
    this.#endNotice ??= heartbeat(() => this.#wait(), { after: firstLine });
    try {
      return await this.#askAgain<Answer>(method, path, asked);
    } finally {
      this.#open.delete(begun);
      if (this.#open.size === 0) {
        this.#endNotice?.();
        this.#endNotice = undefined;
      }
    }
  }

  #wait(): Wait | undefined {
    const since = Math.min(...this.#open.values());
    const { context, server } = this.#names;
    if (Date.now() - since < firstLine) return undefined;
    return { words: `Waiting for cluster ${context} (${server}) to answer`, since };
  }

  async #askAgain<Answer>(method: Method, path: string, asked: Asked): Promise<Answer> {
    const backoff = new Backoff(policy);
    for (;;) {
      try {
        const response = await this.#send(method, path, asked);
        return await this.#answer<Answer>(method, path, response, asked.room);
      } catch (error) {
        asked.signal?.throwIfAborted();
        const { status, retryAfter = 0 } = refusalOf(error) ?? {};
        const isPassing = isUnanswered(error) || status === 429 || status === 503 || status === 504;
        const wait = { retryAfter: Math.min(retryAfter, longestWait), signal: asked.signal };
        if (!isPassing || !(await backoff.wait(wait))) throw error;
      }
    }
  }

  /** Streams a response. A broken connection ends it with an error. */
  async stream(path: string, asked: Omit<Asked, "body" | "contentType"> = {}): Promise<Readable> {
    return (await this.#send("GET", path, asked)).body;
  }

  async webSocket(path: string, onMessage: (channel: number, data: Buffer) => void): Promise<WebSocketLike> {
    const { WebSocketHandler } = await import("@kubernetes/client-node/dist/web-socket-handler.js");
    const connect = () =>
      new WebSocketHandler(this.#config).connect(path, null, (channel, data) => {
        onMessage(channel, data);
        return true;
      });
    this.requests += 1;
    try {
      return (await connect()) as unknown as WebSocketLike;
    } catch (event) {
      const words = String((event as { readonly message?: unknown }).message ?? event);
      const question: Question = { method: "GET", path: path.split("?", 1)[0] ?? path, ...this.#names };
      const status = Number(/Unexpected server response: (\d+)/.exec(words)?.[1]);
      if (status === 401) this.#logins.forget();
      // The library drops the reason. The same request without a web socket gets it.
      const told: unknown = status === 403 ? await this.ask("GET", path).catch((error: unknown) => error) : undefined;
      if (refusalOf(told)?.status === 403 || isUnanswered(told)) throw told;
      throw Number.isNaN(status) ? this.#unanswered(question, new Error(words)) : refusalError(question, status, "");
    }
  }

  /** The error for a response that exceeds a limit. A retry would not help. */
  tooLong(path: string, cause: ReadLimit): Failure {
    const { context, server } = this.#names;
    return new Failure(
      { code: "cluster-unreachable", culprit: context },
      `Cluster ${context} (${server}) sent an answer to ${path} that ${cause.message}.`,
      "Check the server of the kubeconfig: no API server answers like this.",
      { cause },
    );
  }

  broken(path: string, error: unknown): Error {
    return this.#unanswered({ method: "GET", path, ...this.#names }, error);
  }

  async #answer<Answer>(
    method: string,
    path: string,
    { body }: Dispatcher.ResponseData<unknown>,
    room: Asked["room"],
  ): Promise<Answer> {
    try {
      const bytes = await readWhole(
        this.#inTurn(body),
        Math.min(maximumAnswer, room?.bytes ?? maximumAnswer),
        silence,
        leastPace,
      );
      if (room) room.bytes -= bytes.length;
      return JSON.parse(bytes.toString()) as Answer;
    } catch (error) {
      if (error instanceof ReadLimit) throw this.tooLong(path, error);
      throw this.#unanswered({ method, path, ...this.#names }, error);
    }
  }

  /** Reads one long response at a time, because a command may ask for eight lists at once. */
  #inTurn(body: Readable): ByteSource {
    const wait = async () => {
      const before = this.#longAnswers;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#longAnswers = promise;
      await before;
      return resolve;
    };
    return {
      async *[Symbol.asyncIterator]() {
        let size = 0;
        let end: (() => void) | undefined;
        try {
          for await (const chunk of body as AsyncIterable<Buffer>) {
            size += chunk.length;
            if (size > shortAnswer) end ??= await wait();
            yield chunk;
          }
        } finally {
          end?.();
        }
      },
      destroy: (error) => body.destroy(error),
    };
  }

  async #send(method: string, path: string, asked: Asked, isAgain = false): Promise<Dispatcher.ResponseData<unknown>> {
    const question: Question = { method, path, ...this.#names };
    const url = new URL(this.#names.server.replace(/\/$/, "") + path);
    for (const [name, value] of Object.entries(asked.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { headers, dispatcher } = await this.#authorize(url);
    this.requests += 1;
    const options: Parameters<typeof request>[1] & { readonly allowH2: false } = {
      method: method as Dispatcher.HttpMethod,
      headers: {
        ...headers,
        accept: asked.accept ?? "application/json, */*",
        ...(asked.body && { "content-type": asked.contentType ?? contentTypeOf(method, asked.body) }),
      },
      body: asked.body ? JSON.stringify(asked.body) : null,
      signal: asked.signal ?? null,
      ...(dispatcher && { dispatcher }),
      // An idle HTTP/2 connection would end the process.
      allowH2: false,
      headersTimeout: patience,
      bodyTimeout: silence,
    };
    let response: Dispatcher.ResponseData<unknown>;
    try {
      response = await request(url, options);
    } catch (error) {
      asked.signal?.throwIfAborted();
      throw this.#unanswered(question, error);
    }
    if (response.statusCode < 300) return response;
    const text = await readWhole(response.body, maximumRefusal, patience).then(String, () => "");
    if (response.statusCode === 401) {
      // The credential or the client certificate may have been renewed.
      this.#dispatcher = undefined;
      if (this.#logins.forget() && !isAgain) return this.#send(method, path, asked, true);
    }
    const retryAfter = 1000 * Number(response.headers["retry-after"]);
    const refused = refusalError(question, response.statusCode, text, retryAfter || undefined);
    if (response.statusCode !== 403 || Date.now() - this.#awaySince > startTime) throw refused;
    throw unansweredError(question, new Error(`it has just started: ${refused.problem.replace(/\.$/, "")}`));
  }

  #unanswered(question: Question, error: unknown): Error {
    this.#awaySince = Date.now();
    return unansweredError(question, error);
  }

  async #authorize(url: URL): Promise<{ headers: Record<string, string>; dispatcher: Dispatcher | undefined }> {
    const context = new RequestContext(url.href, HttpMethod.GET);
    try {
      await this.#config.applySecurityAuthentication(context);
    } catch (cause) {
      if (cause instanceof UserError || cause instanceof Failure) throw cause;
      const words = cause instanceof Error ? cause.message : String(cause);
      throw new UserError(
        { code: "cluster-login", culprit: this.#names.user },
        `The kubeconfig gives no credential for user ${this.#names.user}: ${words.trim().replaceAll(/\s+/g, " ")}.`,
        "Log in to the cluster again.",
        { cause },
      );
    }
    // The library makes one for each request, and each would open a connection.
    this.#dispatcher ??= context.getDispatcher() as Dispatcher | undefined;
    return { headers: context.getHeaders(), dispatcher: this.#dispatcher };
  }
}

function contentTypeOf(method: string, body: object): string {
  if (method !== "PATCH") return "application/json";
  return Array.isArray(body) ? "application/json-patch+json" : "application/merge-patch+json";
}
