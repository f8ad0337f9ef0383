import { Backoff } from "../../core/back-off.ts";
import type { Failure } from "../../core/errors.ts";
import { heartbeat, patience } from "../../core/heartbeat.ts";
import { ReadLimit, readWhole } from "../../core/read-whole.ts";
import { type Endpoint, isLoopback } from "../../oci/endpoint.ts";
import { Authenticator, type FindCredential } from "./auth.ts";
import type { Ability, RegistryHints } from "./hints.ts";
import { BodyError, HttpConnection, type HttpOptions, type HttpRequest, type HttpResponse } from "./http.ts";
import {
  discard,
  isWebPage,
  notARegistry,
  protocolError,
  readWords,
  refusalError,
  type Step,
  unreachableError,
} from "./refusal.ts";
import type { RetryPolicy } from "./retry.ts";
import { isRetriableFault, isRetriableStatus, parseRetryAfter } from "./retry.ts";
import type { Access } from "./scope.ts";

export interface SessionOptions extends Omit<HttpOptions, "origin"> {
  readonly endpoint: Endpoint;
  readonly findCredential: FindCredential;
  readonly retry: RetryPolicy;
  readonly firstAnswerTimeout: number;
  /** Milliseconds for an answer that is read into memory. */
  readonly answerTimeout: number;
  readonly tokenService?: string | undefined;
  readonly hints?: RegistryHints | undefined;
}

export interface RegistryRequest extends Omit<HttpRequest, "url"> {
  /** A URL, or a path with query below the registry's root. */
  readonly url: URL | string;
  readonly access: readonly Access[];
  readonly step: Step;
  readonly once?: boolean;
  /** Reads the body of a 200 as part of each try, up to this many bytes. Default: the caller reads it. */
  readonly collect?: number;
}

export interface RegistryResponse extends HttpResponse {
  readonly bytes: Buffer;
  readonly attempts: number;
}

/** For another program's requests. */
export interface Authorization {
  /** Only for the registry's own origin. Empty: no credential is needed or known. */
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresAt?: Date;
}

const maximumRedirects = 5;

/** In one write. */
const smallBody = 1 << 20;

export class Session {
  readonly endpoint: Endpoint;
  readonly retry: RetryPolicy;
  readonly answerTimeout: number;
  readonly #http: HttpConnection;
  readonly #auth: Authenticator;
  readonly #firstAnswerTimeout: number;
  readonly #hints: RegistryHints | undefined;
  readonly #abilities = new Map<Ability, boolean | undefined>();
  #answeredOnce = false;
  /** Values of `Authorization` that were accepted. */
  readonly #accepted = new Set<string>();

  constructor(options: SessionOptions) {
    this.endpoint = options.endpoint;
    this.retry = options.retry;
    this.answerTimeout = options.answerTimeout;
    this.#firstAnswerTimeout = options.firstAnswerTimeout;
    this.#hints = options.hints;
    this.#http = new HttpConnection({ ...options, origin: options.endpoint.base.origin });
    this.#auth = new Authenticator({
      endpoint: options.endpoint,
      find: options.findCredential,
      send: (request) => this.#askTokenService(request),
      tokenService: options.tokenService,
      hints: options.hints,
    });
  }

  /** Retries passing failures. Returns any status but 401 and 403. @throws UserError if it is unreachable or refuses */
  async send(request: RegistryRequest): Promise<RegistryResponse> {
    const endNotice = this.#tellWait(request);
    const response = await this.#persist(request, () => this.#authorized(request)).finally(endNotice);
    if (response.status === 401 || response.status === 403) throw await this.refusal(response, request.step);
    return response;
  }

  /** Header fields for a GET. One request, and one more for a token. @throws UserError if unreachable or refused */
  async authorize(request: Pick<RegistryRequest, "url" | "access" | "step">): Promise<Authorization> {
    const { access, step } = request;
    const url = new URL(request.url, this.endpoint.base);
    const question = { method: "HEAD", url } as const;
    const idleTimeout = this.#firstAnswerTimeout;
    const response = await this.#persist({ step }, () => this.#http.send({ ...question, idleTimeout }));
    await discard(response);
    if (response.status !== 401) return { headers: {} };
    const authorization = await this.#auth.respond(response.headers["www-authenticate"], access, undefined);
    const headers = await this.#credentials({ access }, true, authorization);
    if (authorization === undefined) return { headers };
    const expiresAt = await this.#auth.expiry(access);
    return { headers, ...(expiresAt ? { expiresAt } : {}) };
  }

  /** See {@link RegistryClient.account}. */
  async account(repository: string): Promise<string | undefined> {
    const account = await this.#auth.account(repository);
    return account === undefined ? undefined : `${this.endpoint.base.origin} ${account}`;
  }

  get usesTokens(): boolean {
    return this.#auth.usesTokens;
  }

  /** `isStreamed`: the content comes from elsewhere, too dear for a try. */
  mayPostOnce(size: number, isStreamed: boolean): boolean {
    if (this.endpoint.isEmbedded) return size <= maximumOnePost;
    if (!this.#hints) return false;
    const can = this.can("onePost");
    return can === undefined ? !isStreamed && size <= maximumTrial : can && size <= maximumOnePost;
  }

  /** Undefined: nobody has tried. */
  can(ability: Ability): boolean | undefined {
    const known = this.#abilities.get(ability) ?? this.#hints?.can(ability, this.endpoint.base.origin);
    this.#abilities.set(ability, known);
    return known;
  }

  note(ability: Ability, can: boolean): void {
    if (this.#abilities.get(ability) === can) return;
    this.#abilities.set(ability, can);
    this.#hints?.note(ability, this.endpoint.base.origin, can);
  }

  /** @throws the registry's refusal, unless the status is one of `absent` */
  async found(step: Step, response: RegistryResponse, absent: readonly number[] = [404]): Promise<boolean> {
    if (response.status === 200) return true;
    if (!absent.includes(response.status)) throw await this.refusal(response, step);
    await discard(response);
    return false;
  }

  async refusal(response: RegistryResponse, step: Step): Promise<Error> {
    const words = await readWords(response, this.answerTimeout, (text) => this.#auth.holdsSecret(text));
    const { status, attempts } = response;
    const answer = { status, words, attempts, isPage: isWebPage(response) };
    return refusalError(this.endpoint, step, answer, await this.#auth.identity(step.repository));
  }

  lost(step: Step, attempts: number, cause: unknown): Error {
    return unreachableError(this.endpoint, step, attempts, cause);
  }

  /** Redacted if the registry echoes a secret. */
  shown(text: string): string {
    return this.#auth.holdsSecret(text) ? "(redacted: it contains a secret)" : text;
  }

  close(): void {
    this.#http.close();
  }

  /** An upload and a terminal show their own progress. */
  #tellWait({ step, body }: RegistryRequest): () => void {
    if (process.stderr.isTTY || (body?.length ?? 0) > smallBody) return () => {};
    return heartbeat(`Waiting for registry ${this.endpoint.registry}, ${step.doing}`, { after: patience });
  }

  async #persist(
    request: Pick<RegistryRequest, "step" | "once" | "collect" | "signal">,
    attempt: () => Promise<HttpResponse>,
  ): Promise<RegistryResponse> {
    const backoff = new Backoff(this.retry);
    const { signal } = request;
    const start = performance.now();
    for (;;) {
      let retryAfter: number | undefined;
      let budget: number | undefined;
      let outcome: { response: HttpResponse } | { error: unknown };
      try {
        const response = await attempt();
        this.#answeredOnce = true;
        const bytes =
          request.collect && response.status === 200
            ? await this.#collect(response, request.collect, request.step)
            : nothing;
        const answer = { ...response, bytes, attempts: backoff.attempts };
        if (request.once || !isRetriableStatus(response.status)) return answer;
        retryAfter = parseRetryAfter(response.headers["retry-after"]);
        outcome = { response };
      } catch (error) {
        if (isReported(error) || error instanceof BodyError || signal?.aborted) throw error;
        if (request.once || !isRetriableFault(error)) {
          throw unreachableError(this.endpoint, request.step, backoff.attempts, error);
        }
        // A host that accepts connections but never answers counts as unreachable.
        if (!this.#answeredOnce) budget = this.retry.firstContactBudget - (performance.now() - start);
        outcome = { error };
      }
      if (await backoff.wait({ retryAfter, budget, signal })) {
        if ("response" in outcome) await discard(outcome.response);
        continue;
      }
      if ("response" in outcome) return { ...outcome.response, bytes: nothing, attempts: backoff.attempts };
      throw unreachableError(this.endpoint, request.step, backoff.attempts, outcome.error);
    }
  }

  async #collect(response: HttpResponse, most: number, step: Step): Promise<Buffer> {
    try {
      return await readWhole(response.body, most, this.answerTimeout);
    } catch (error) {
      throw error instanceof ReadLimit ? this.limitError(error, step) : error;
    }
  }

  limitError({ message }: ReadLimit, step: Step): Failure {
    const place = step.repository === undefined ? "" : ` in ${step.repository}`;
    const problem = `sent an answer that ${message} while ${step.doing}${place}`;
    return protocolError(this.endpoint.registry, problem, notARegistry);
  }

  async #authorized(request: RegistryRequest): Promise<HttpResponse> {
    const url = new URL(request.url, this.endpoint.base);
    // The location of an upload may be on another host, which gets no credential.
    const own = url.origin === this.endpoint.base.origin;
    const first = own ? await this.#auth.header(request.access) : undefined;
    const response = await this.#redirected(request, url, await this.#credentials(request, own, first));
    if (response.status !== 401 || !own) {
      if (first !== undefined && response.status !== 403) this.#accepted.add(first);
      return response;
    }
    const better = await this.#auth.respond(response.headers["www-authenticate"], request.access, first);
    // Retry a password that just worked: some registries lose their user database for a moment.
    const second = better ?? (first !== undefined && this.#accepted.has(first) ? first : undefined);
    if (second === undefined) return response;
    await discard(response);
    const again = await this.#redirected(request, url, await this.#credentials(request, own, second));
    if (![401, 403].includes(again.status)) this.#accepted.add(second);
    return again;
  }

  /** Only for the registry's own origin. */
  async #credentials(
    request: Pick<RegistryRequest, "access">,
    own: boolean,
    authorization: string | undefined,
  ): Promise<Record<string, string>> {
    if (!own) return {};
    const extra = await this.#auth.extraHeaders(request.access);
    return { ...extra, ...(authorization === undefined ? {} : { authorization }) };
  }

  async #redirected(
    request: RegistryRequest,
    start: URL,
    credentials: Readonly<Record<string, string>>,
  ): Promise<HttpResponse> {
    const headers = { ...credentials, ...request.headers };
    const silence = this.#answeredOnce ? {} : { idleTimeout: this.#firstAnswerTimeout };
    let response = await this.#http.send({ ...request, ...silence, url: start, headers });
    if (request.method !== "GET" && request.method !== "HEAD") return response;
    let url = start;
    for (let followed = 0; isRedirect(response); followed++) {
      url = this.#redirectTarget(url, response.headers.location ?? "", followed, request.step);
      await discard(response);
      response = await this.#http.send({ ...request, url, headers: request.headers ?? {} });
      if (response.status === 401) throw this.#badRedirect(url, "asks for another credential", request.step);
    }
    return response;
  }

  #redirectTarget(from: URL, location: string, followed: number, step: Step): URL {
    if (!URL.canParse(location, from.href)) throw this.#badRedirect(from, "redirects to an invalid URL", step);
    const url = new URL(location, from);
    if (followed >= maximumRedirects) throw this.#badRedirect(url, "is one redirect too many", step);
    const problem = this.problemOf(url);
    if (problem !== undefined) throw this.#badRedirect(url, problem, step);
    return url;
  }

  /** Why not to exchange content with a URL that the registry named. Undefined: no objection. */
  problemOf(url: URL): string | undefined {
    const { base } = this.endpoint;
    if (url.username !== "" || url.password !== "") return "contains a user name";
    if (url.protocol === "https:" || url.origin === base.origin) return undefined;
    const plainAnyway =
      (isLoopback(url) && isLoopback(base)) || (base.protocol === "http:" && url.hostname === base.hostname);
    return url.protocol === "http:" && plainAnyway ? undefined : "is not reached by https";
  }

  #badRedirect(url: URL, problem: string, step: Step): Failure {
    return protocolError(
      this.endpoint.registry,
      `redirected to ${this.shown(url.origin)}, which ${problem}, while ${step.doing}`,
      "Ask the registry's administrator to correct the redirect.",
    );
  }

  async #askTokenService(request: HttpRequest): Promise<{ status: number; text: string }> {
    const step = { doing: `asking the token service ${request.url.host} for a token` };
    const { status, bytes } = await this.#persist({ step, collect: maximumTokenAnswer }, () =>
      this.#http.send(request),
    );
    return { status, text: bytes.toString("utf8") };
  }
}

/** Bytes. A POST that breaks off has to start again. */
const maximumOnePost = 16 * 1024 * 1024;

/** Bytes if the registry may answer 202 and need the blob twice. Go's servers drop connections with 256 KiB unread. */
const maximumTrial = 64 * 1024;

/** Bytes. */
const maximumTokenAnswer = 1 << 20;

const nothing = Buffer.alloc(0);

function isRedirect(response: HttpResponse): boolean {
  return [301, 302, 303, 307, 308].includes(response.status) && response.headers.location !== undefined;
}

function isReported(error: unknown): boolean {
  return error instanceof Error && "exitStatus" in error;
}
