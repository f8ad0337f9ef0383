import type { Readable } from "node:stream";
import { Backoff } from "../../core/back-off.ts";
import { Failure } from "../../core/errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Body, BodyError } from "./http.ts";
import { AccessRefused, discard, protocolError, type Step } from "./refusal.ts";
import { isRetriableFault, isRetriableStatus, parseRetryAfter } from "./retry.ts";
import type { Access } from "./scope.ts";
import type { RegistryRequest, RegistryResponse, Session } from "./session.ts";

/** Opens bytes from `start` up to, not including, `end`. Called again for each attempt. */
export type OpenBlob = (start: number, end: number) => Readable;

/** A retry may fix it. */
interface Fault {
  readonly error: unknown;
  /** Milliseconds. */
  readonly retryAfter?: number | undefined;
  readonly unsupported?: boolean;
}

const octets = { "content-type": "application/octet-stream" } as const;

export interface UploadOptions {
  readonly repository: string;
  readonly descriptor: Pick<Descriptor, "digest" | "size">;
  readonly open: OpenBlob;
  /** Each attempt moves the bytes from another machine again. Default: no. */
  readonly isStreamed?: boolean;
  /** A repository of the same registry that may hold the blob. */
  readonly mountFrom?: string | undefined;
  /** Negative if some must be sent again. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes, the maximum loss of an interruption. */
const chunkSize = 16 * 1024 * 1024;

/**
 * "Pushing blobs": tries to mount it, then one POST (a 202 asks for a PUT), then one PUT, which all support. Continues
 * in chunks if that breaks off.
 *
 * @throws BodyError if its source fails
 */
export async function uploadBlob(session: Session, options: UploadOptions): Promise<"mounted" | "uploaded"> {
  return new Upload(session, options).run();
}

class Upload {
  readonly #session: Session;
  readonly #options: UploadOptions;
  readonly #step: Step;
  readonly #backoff: Backoff;
  readonly #common: Pick<RegistryRequest, "access" | "step" | "signal">;
  #reported = 0;
  #furthest = 0;

  constructor(session: Session, options: UploadOptions) {
    this.#session = session;
    this.#options = options;
    this.#step = { doing: `uploading blob ${options.descriptor.digest}`, repository: options.repository };
    this.#backoff = new Backoff(session.retry);
    const access: Access[] = [{ repository: options.repository, actions: ["pull", "push"] }];
    this.#common = { access, step: this.#step, signal: options.signal };
  }

  async run(): Promise<"mounted" | "uploaded"> {
    const { mountFrom, repository } = this.#options;
    const mountable = mountFrom !== undefined && mountFrom !== repository;
    let location = mountable ? await this.#mountOrStart(mountFrom) : await this.#postOrStart();
    if (location === undefined) return mountable ? "mounted" : "uploaded";
    let fault = await this.#sendWhole(location);
    while (fault) {
      if (!(await this.#backoff.wait({ retryAfter: fault.retryAfter, signal: this.#options.signal })))
        throw fault.error;
      const kept: Kept | undefined = fault.unsupported ? undefined : await this.#kept(location);
      location = kept?.location ?? (await this.#start());
      fault = fault.unsupported
        ? await this.#sendWhole(location)
        : await this.#sendChunks(location, kept?.offset ?? 0, kept?.minimumChunk ?? 0);
    }
    this.#report(this.#options.descriptor.size);
    return "uploaded";
  }

  /** Distribution specification, "Mounting a blob". Undefined: mounted. */
  async #mountOrStart(from: string): Promise<URL | undefined> {
    const query = new URLSearchParams({ mount: this.#options.descriptor.digest, from });
    const access = [...this.#common.access, { repository: from, actions: ["pull"] as const }];
    const response = await this.#post(`?${query}`, access).catch((error) => {
      // The other repository may be closed, this one open.
      if (error instanceof AccessRefused) return undefined;
      throw error;
    });
    if (response) await discard(response);
    if (response?.status === 201) return undefined;
    return response?.status === 202 ? this.#location(response, this.#uploads()) : this.#start();
  }

  /** Distribution specification, "Single POST". Undefined: sent. */
  async #postOrStart(): Promise<URL | undefined> {
    const { descriptor, isStreamed = false } = this.#options;
    const { digest, size } = descriptor;
    if (!this.#session.mayPostOnce(size, isStreamed)) return this.#start();
    let response: RegistryResponse;
    try {
      response = await this.#session.send({
        ...this.#common,
        method: "POST",
        url: new URL(`?${new URLSearchParams({ digest })}`, this.#uploads()),
        body: this.#body(0, size),
        headers: octets,
        once: true,
        onSent: (bytes) => this.#report(this.#reported + bytes),
      });
    } catch (error) {
      if (error instanceof BodyError) throw this.#sourceError(error);
      if (this.#options.signal?.aborted) throw error;
      // The next way to upload reports the error.
      this.#report(0);
      return this.#start();
    }
    await discard(response);
    const { status } = response;
    if (status === 201) {
      this.#session.note("onePost", true);
      this.#report(size);
      return undefined;
    }
    this.#report(0);
    if (!isRetriableStatus(status)) this.#session.note("onePost", false);
    return status === 202 ? this.#location(response, this.#uploads()) : this.#start();
  }

  async #start(): Promise<URL> {
    const response = await this.#post("", this.#common.access);
    if (response.status !== 202) throw await this.#session.refusal(response, this.#step);
    await discard(response);
    return this.#location(response, this.#uploads());
  }

  #post(query: string, access: readonly Access[]): Promise<RegistryResponse> {
    const url = new URL(query, this.#uploads());
    return this.#session.send({ ...this.#common, method: "POST", url, access });
  }

  #uploads(): URL {
    return new URL(`/v2/${this.#options.repository}/blobs/uploads/`, this.#session.endpoint.base);
  }

  /** One PUT with everything. */
  async #sendWhole(location: URL): Promise<Fault | undefined> {
    const { size } = this.#options.descriptor;
    return this.#attempt({
      method: "PUT",
      url: this.#withDigest(location),
      body: this.#body(0, size),
      headers: octets,
    });
  }

  async #sendChunks(start: URL, from: number, minimumChunk: number): Promise<Fault | undefined> {
    const { size } = this.#options.descriptor;
    let location = start;
    const step = Math.max(chunkSize, minimumChunk);
    for (let offset = from; offset < size; offset += step) {
      const end = Math.min(offset + step, size);
      const headers = { ...octets, "content-range": `${offset}-${end - 1}` };
      const request = { method: "PATCH", url: location, body: this.#body(offset, end), headers } as const;
      const fault = await this.#attempt(request, (response) => {
        location = this.#location(response, location);
      });
      if (fault) return fault;
      // Many registries lose an interrupted upload: only bytes beyond the furthest chunk are progress.
      if (end > this.#furthest) this.#backoff.reset();
      this.#furthest = Math.max(this.#furthest, end);
    }
    return this.#attempt({ method: "PUT", url: this.#withDigest(location), headers: octets });
  }

  /** Returns failures that a retry may fix; throws others. */
  async #attempt(
    request: Pick<RegistryRequest, "method" | "url" | "body" | "headers">,
    onSuccess: (response: RegistryResponse) => void = () => {},
  ): Promise<Fault | undefined> {
    let response: RegistryResponse;
    try {
      response = await this.#session.send({
        ...request,
        ...this.#common,
        once: true,
        onSent: (bytes) => this.#report(this.#reported + bytes),
      });
    } catch (error) {
      if (error instanceof BodyError) throw this.#sourceError(error);
      if (this.#options.signal?.aborted || !isRetriableFault((error as Error).cause)) throw error;
      return { error };
    }
    const { status } = response;
    if (status >= 200 && status < 300) {
      await discard(response);
      onSuccess(response);
      return undefined;
    }
    const error = await this.#session.refusal(response, this.#step);
    if (isRetriableStatus(status)) return { error, retryAfter: parseRetryAfter(response.headers["retry-after"]) };
    if (status === 404 || status === 416) return { error };
    if (request.method === "PATCH" && [400, 405, 501].includes(status)) return { error, unsupported: true };
    throw error;
  }

  /** Distribution specification, "Pushing a blob in chunks". */
  async #kept(at: URL): Promise<Kept | undefined> {
    const response = await this.#session.send({ method: "GET", url: at, ...this.#common });
    await discard(response);
    const range = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.range ?? "");
    const last = Number(range?.[1] ?? 0);
    // "0-0" means one byte by the specification, but none in practice. Start again.
    if (response.status !== 204 || last === 0 || last >= this.#options.descriptor.size) return undefined;
    return {
      location: this.#location(response, at),
      offset: last + 1,
      minimumChunk: Number(response.headers["oci-chunk-min-length"]) || 0,
    };
  }

  /** May be on another host. */
  #location(response: RegistryResponse, base: URL): URL {
    const { location } = response.headers;
    const { registry } = this.#session.endpoint;
    const refuse = (problem: string) =>
      protocolError(
        registry,
        `gave a location that ${problem} while ${this.#step.doing}`,
        "Ask the registry's administrator to correct the address of uploads.",
      );
    if (location === undefined) return base;
    if (!URL.canParse(location, base.href)) throw refuse("is not a URL");
    const url = new URL(location, base);
    // Registries behind a TLS proxy often return http: URLs.
    if (base.protocol === "https:" && url.protocol === "http:" && url.hostname === base.hostname) {
      url.protocol = "https:";
      url.port = base.port;
    }
    const problem = this.#session.problemOf(url);
    if (problem !== undefined) throw refuse(`${problem} (${this.#session.shown(url.origin)})`);
    return url;
  }

  #withDigest(location: URL): URL {
    const url = new URL(location);
    // The registry's own query must stay byte for byte.
    url.search += `${url.search === "" ? "?" : "&"}digest=${encodeURIComponent(this.#options.descriptor.digest)}`;
    return url;
  }

  #body(start: number, end: number): Body {
    return {
      length: end - start,
      open: () => {
        this.#report(start);
        return this.#options.open(start, end);
      },
    };
  }

  /** Less than before if something must be sent again. */
  #report(upTo: number): void {
    if (upTo !== this.#reported) this.#options.onBytes?.(upTo - this.#reported);
    this.#reported = upTo;
  }

  #sourceError(error: BodyError): unknown {
    if (error.cause instanceof Error && "exitStatus" in error.cause) return error.cause;
    const { digest } = this.#options.descriptor;
    return new Failure(
      { code: "image-invalid", culprit: digest },
      `Blob ${digest} cannot be read: ${error.message}.`,
      "Run the build again; if the error stays, the file on this machine is damaged.",
      { cause: error },
    );
  }
}

interface Kept {
  readonly location: URL;
  readonly offset: number;
  readonly minimumChunk: number;
}
