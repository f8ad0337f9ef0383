import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
// The package's entry exports the same, but adds 300 KB to the bundle and 30 ms to every start.
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { HttpMethod, RequestContext } from "@kubernetes/client-node/dist/gen/http/http.js";
import { type Dispatcher, request } from "undici";
import { Failure, UserError } from "../core/errors.ts";
import { patience as firstLine, heartbeat, type Wait } from "../core/heartbeat.ts";
import { type ByteSource, leastPace, ReadLimit, readWhole } from "../core/read-whole.ts";
import { isUnanswered, type Question, refusalError, refusalOf, unansweredError } from "./api-error.ts";
import type { Logins } from "./login.ts";

/** Milliseconds for an answer to begin. */
const patience = 30_000;
/** Milliseconds of silence after which a stream is taken for broken: bookmarks of a watch come every minute. */
const silence = 120_000;
/** Bytes of one answer, of an event of a watch, and of an answer that refuses. Several are read at once. A page of 100 pods has 1 MB. */
export const maximumAnswer = 8 * 1024 * 1024;
const maximumRefusal = 256 * 1024;
/** Bytes of an answer up to which it is read beside others. One longer answer is read at a time. */
const shortAnswer = 256 * 1024;
/** How often a question is asked that gets no answer, or that the server is too busy for. */
const tries = 4;
/** Milliseconds that a busy server's wish to be asked later is heeded for. */
const longestWait = 10_000;
/** Milliseconds for which a server that was away may refuse what it allows: it does not know yet who may do what. */
const startTime = 30_000;

type Method = "GET" | "POST" | "PATCH" | "DELETE";

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Asked {
  readonly query?: Query;
  readonly body?: object;
  readonly contentType?: string;
  /** In what form the answer shall be. Default: JSON, all of it. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** Bytes that are left for answers to several questions. What an answer takes is subtracted. */
  readonly room?: { bytes: number };
}

/** The part of a web socket of the package `ws` that is used here. */
export interface WebSocketLike {
  send(data: Buffer, done: (error?: Error) => void): void;
  close(): void;
  pause(): void;
  resume(): void;
  onclose: (() => void) | null;
  readonly readyState: number;
}

/**
 * The API of one cluster, as the user of a context. Who that is, and the way there, is the kubeconfig's matter and so its package's; unlike
 * the package's own client this one keeps its connections, hands on what the server says as it is, and can be interrupted.
 */
export class Api {
  readonly #config: KubeConfig;
  readonly #base: string;
  readonly #names: Pick<Question, "context" | "server" | "user">;
  readonly #logins: Logins;
  #dispatcher: Dispatcher | undefined;
  /** When questions were asked that have no answer yet. */
  readonly #open = new Map<symbol, number>();
  #endNotice: (() => void) | undefined;
  #awaySince = Number.NEGATIVE_INFINITY;
  /** Settled once no long answer is read. */
  #longAnswers = Promise.resolve();
  requests = 0;

  constructor(config: KubeConfig, names: Pick<Question, "context" | "server" | "user">, logins: Logins) {
    this.#config = config;
    this.#logins = logins;
    this.#base = names.server.replace(/\/$/, "");
    this.#names = names;
  }

  /**
   * Asks, and again where no answer came: what is made has a name, so that it is not made twice, but refused as `AlreadyExists`.
   *
   * @returns the object that the server answers with
   * @throws UserError, Failure: what the server refuses, or that it does not answer
   */
  async ask<Answer>(method: Method, path: string, asked: Asked = {}): Promise<Answer> {
    const begun = Symbol(path);
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

  /** The question that has no answer for the longest time. */
  #wait(): Wait | undefined {
    const since = Math.min(...this.#open.values());
    const { context, server } = this.#names;
    if (Date.now() - since < firstLine) return undefined;
    return { words: `Waiting for cluster ${context} (${server}) to answer`, since };
  }

  async #askAgain<Answer>(method: Method, path: string, asked: Asked): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await this.#send(method, path, asked);
        return await this.#answer<Answer>(method, path, response, asked.room);
      } catch (error) {
        asked.signal?.throwIfAborted();
        const { status, retryAfter = 0 } = refusalOf(error) ?? {};
        const isPassing = isUnanswered(error) || status === 429 || status === 503 || status === 504;
        if (!isPassing || attempt >= tries) throw error;
        const time = Math.max(100 * 4 ** (attempt - 1), Math.min(retryAfter, longestWait));
        await delay(time, undefined, asked.signal ? { signal: asked.signal } : {});
      }
    }
  }

  /** A body that comes as it is made; it ends with an error where the connection breaks. Asked once. */
  async stream(path: string, asked: Omit<Asked, "body" | "contentType"> = {}): Promise<Readable> {
    return (await this.#send("GET", path, asked)).body;
  }

  /**
   * Opens a web socket, which starts with a GET as the client library does it.
   *
   * @param onMessage told the number of a channel and what came on it
   * @throws UserError, Failure: what the server refuses, or that it does not answer
   */
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
      // The library does not tell why. The same question without a web socket gets the same refusal, in words.
      const told: unknown = status === 403 ? await this.ask("GET", path).catch((error: unknown) => error) : undefined;
      if (refusalOf(told)?.status === 403) throw told;
      throw Number.isNaN(status) ? this.#unanswered(question, new Error(words)) : refusalError(question, status, "");
    }
  }

  /** The error for an answer that exceeds a limit: it would be the same again. */
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

  /** An answer breaks off as a connection does, or is of something else on the way to the server. */
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

  /** Waits before the bytes that make an answer long until no other long answer is read: a command may ask for eight lists at once. */
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
    const url = new URL(this.#base + path);
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
        ...(asked.body === undefined ? {} : { "content-type": asked.contentType ?? "application/json" }),
      },
      ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
      ...(asked.signal === undefined ? {} : { signal: asked.signal }),
      ...(dispatcher === undefined ? {} : { dispatcher }),
      // Over HTTP/2 a connection that was idle for a while would end the process.
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
      // A credential, or the certificate that the connections were made with, may have been renewed.
      this.#dispatcher = undefined;
      if (this.#logins.forget() && !isAgain) return this.#send(method, path, asked, true);
    }
    const retryAfter = 1000 * Number(response.headers["retry-after"]);
    const refused = refusalError(
      question,
      response.statusCode,
      text,
      Number.isFinite(retryAfter) ? retryAfter : undefined,
    );
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
    // It makes a new one for every question, which would be a new connection.
    this.#dispatcher ??= context.getDispatcher() as Dispatcher | undefined;
    return { headers: context.getHeaders(), dispatcher: this.#dispatcher };
  }
}
