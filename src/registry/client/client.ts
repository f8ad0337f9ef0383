import { Readable } from "node:stream";
import { type Failure, UserError } from "../../core/errors.ts";
import { ReadLimit } from "../../core/read-whole.ts";
import { type Descriptor, inlineContent } from "../../oci/descriptor.ts";
import { type Digest, digestOf, isDigest, splitDigest } from "../../oci/digest.ts";
import { maximumManifestSize } from "../../oci/manifest.ts";
import { manifestMediaTypes } from "../../oci/media-types.ts";
import { formatReference } from "../../oci/reference.ts";
import { downloadBlob, downloadRange } from "./download.ts";
import { listReferrers, listRepositories, listTags, parseReferrers } from "./list.ts";
import { discard, isWebPage, protocolError, type Step, Unsupported, webServerError } from "./refusal.ts";
import { pulling, pushing } from "./scope.ts";
import type { Authorization, RegistryRequest, RegistryResponse, Session } from "./session.ts";
import { storeManifest } from "./store-manifest.ts";
import { type OpenBlob, type UploadOptions, uploadBlob } from "./upload.ts";

export type { OpenBlob, UploadOptions } from "./upload.ts";

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Byte for byte. */
export interface StoredManifest {
  readonly bytes: Buffer;
  readonly descriptor: Pick<Descriptor, "mediaType" | "digest" | "size">;
}

/**
 * One registry, by the OCI distribution specification 1.1. Verifies content by its digest. Every method may throw
 * `UserError` (no answer, access refused, no room) or `Failure` (the registry failed or broke the protocol).
 */
export class RegistryClient {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get registry(): string {
    return this.#session.endpoint.registry;
  }

  /** Registry and user, a key that keeps data of users apart. Undefined: the credential does not name the user. */
  account(repository: string): Promise<string | undefined> {
    return this.#session.account(repository);
  }

  get isEmbedded(): boolean {
    return this.#session.endpoint.isEmbedded === true;
  }

  get usesTokens(): boolean {
    return this.#session.usesTokens;
  }

  /**
   * Undefined if there is none. Takes a second request if HEAD is not supported or sends no digest.
   *
   * @param options `push`: also asks for push access, which saves a token if a push follows
   */
  async headManifest(
    repository: string,
    reference: string,
    options: RequestOptions & { readonly push?: boolean } = {},
  ): Promise<StoredManifest["descriptor"] | undefined> {
    const step = { doing: `asking for manifest ${reference}`, repository };
    const response = await this.#send(step, {
      method: "HEAD",
      url: `/v2/${repository}/manifests/${reference}`,
      access: options.push ? pushing(repository) : pulling(repository),
      headers: { accept: manifestMediaTypes.join(", ") },
      signal: options.signal,
    });
    if (!(await this.#session.found(step, response, [404, 405, 501]))) {
      return response.status === 404 ? undefined : (await this.getManifest(repository, reference, options))?.descriptor;
    }
    await discard(response);
    const digest = response.headers["docker-content-digest"];
    const size = Number(response.headers["content-length"]);
    if (!isDigest(digest) || !Number.isSafeInteger(size)) {
      return (await this.getManifest(repository, reference, options))?.descriptor;
    }
    const isComparable = isDigest(reference) && splitDigest(reference).algorithm === splitDigest(digest).algorithm;
    if (isComparable && digest !== reference) {
      throw this.#broken(step, `answered with manifest ${digest}`);
    }
    return {
      mediaType: response.headers["content-type"] ?? "",
      digest: isDigest(reference) ? reference : digest,
      size,
    };
  }

  /** Undefined: the repository has no such manifest. */
  async getManifest(
    repository: string,
    reference: string,
    options: RequestOptions = {},
  ): Promise<StoredManifest | undefined> {
    const step = { doing: `fetching manifest ${reference}`, repository };
    const response = await this.#send(step, {
      method: "GET",
      url: `/v2/${repository}/manifests/${reference}`,
      access: pulling(repository),
      headers: { accept: manifestMediaTypes.join(", ") },
      collect: maximumManifestSize,
      signal: options.signal,
    });
    if (!(await this.#session.found(step, response))) return undefined;
    if (isWebPage(response)) throw webServerError(this.registry, step, response.status);
    const { bytes } = response;
    const said = response.headers["docker-content-digest"];
    const expected = isDigest(reference) ? reference : isDigest(said) ? said : undefined;
    const digest = digestOf(expected ? splitDigest(expected).algorithm : "sha256", bytes);
    if (expected !== undefined && digest !== expected)
      throw this.#broken(step, `sent content of ${digest}, not ${expected}`);
    const mediaType = (response.headers["content-type"] ?? "").split(";", 1)[0]?.trim() ?? "";
    return { bytes, descriptor: { mediaType, digest, size: bytes.length } };
  }

  /** Checks that the host is a registry, to explain why it lacks something. @throws UserError if it is a web server */
  async checkRegistry(repository: string): Promise<void> {
    const step = { doing: "asking for its version" };
    const asking = this.#send(step, { method: "GET", url: "/v2/", access: pulling(repository) });
    const response = await asking.catch(() => undefined);
    if (!response) return;
    if (response.status === 404 && isWebPage(response)) throw webServerError(this.registry, step, response.status);
    await discard(response);
  }

  /** Its size in bytes. Undefined: the repository lacks it, or the registry does not support HEAD. */
  async headBlob(
    repository: string,
    digest: Digest,
    options: RequestOptions & { readonly push?: boolean } = {},
  ): Promise<number | undefined> {
    const step = { doing: `asking for blob ${digest}`, repository };
    const response = await this.#send(step, {
      method: "HEAD",
      url: `/v2/${repository}/blobs/${digest}`,
      access: options.push ? pushing(repository) : pulling(repository),
      signal: options.signal,
    });
    // At worst, the blob is sent again.
    if (!(await this.#session.found(step, response, [404, 405, 501]))) return undefined;
    await discard(response);
    return Number(response.headers["content-length"]);
  }

  /** Fails at its end if the content does not match the digest. */
  getBlob(repository: string, descriptor: Pick<Descriptor, "digest" | "size">, options: RequestOptions = {}): Readable {
    return downloadBlob(this.#session, { repository, descriptor, ...options });
  }

  /** `field` is for errors: "configuration (`config`)". Default of `limit`: 8 MiB. */
  async readBlob(
    repository: string,
    descriptor: Pick<Descriptor, "digest" | "size" | "data">,
    field: string,
    image = formatReference({ registry: this.registry, repository, digest: descriptor.digest }),
    limit = maximumDocument,
  ): Promise<Buffer> {
    const { digest, size } = descriptor;
    if (size > limit) {
      throw new UserError(
        { code: "image-unsuitable", culprit: image },
        `The ${field} of ${image} has ${size} bytes, more than the limit of ${limit}.`,
        "Use another image.",
      );
    }
    const inline = inlineContent(descriptor);
    if (inline) return inline;
    const within = this.#session.answerTimeout;
    const signal = AbortSignal.timeout(within);
    try {
      const content = Buffer.allocUnsafe(size);
      let at = 0;
      for await (const piece of this.getBlob(repository, descriptor, { signal })) at += piece.copy(content, at);
      return content;
    } catch (error) {
      if (!signal.aborted) throw error;
      const limit = new ReadLimit(`did not end within ${within / 1000} s`);
      throw this.#session.limitError(limit, { doing: `downloading blob ${digest}`, repository });
    }
  }

  blobSource(repository: string, descriptor: Pick<Descriptor, "digest" | "size">): OpenBlob {
    return (start, end) =>
      start === 0 && end === descriptor.size
        ? this.getBlob(repository, descriptor)
        : Readable.from(downloadRange(this.#session, { repository, descriptor, start, end }), { objectMode: false });
  }

  pushBlob(options: UploadOptions): Promise<"mounted" | "uploaded"> {
    return uploadBlob(this.#session, options);
  }

  /** The manifest's blobs must be in the repository. */
  async putManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
    options: RequestOptions = {},
  ): Promise<Digest> {
    return (await storeManifest(this.#session, { repository, reference, bytes, mediaType, ...options })).digest;
  }

  /** Distribution specification 1.1, "Pushing Manifests with Subject". True: the registry lists it (`OCI-Subject`). */
  async putReferrer(
    repository: string,
    bytes: Uint8Array,
    mediaType: string,
    options: RequestOptions = {},
  ): Promise<boolean> {
    const reference = digestOf("sha256", bytes);
    const { response } = await storeManifest(this.#session, { repository, reference, bytes, mediaType, ...options });
    return response.headers["oci-subject"] !== undefined;
  }

  async checkLogin(): Promise<void> {
    const step = { doing: "checking the login" };
    const response = await this.#session.send({ method: "GET", url: "/v2/", access: [], step });
    await this.#session.found(step, response, []);
    await discard(response);
  }

  /** Header fields for another program to read and write one repository. One request, and one more for a token. */
  async authorizePush(repository: string): Promise<Authorization> {
    const url = new URL("/v2/", this.#session.endpoint.base);
    return this.#session.authorize({
      url,
      access: pushing(repository),
      step: { doing: "asking who may push", repository },
    });
  }

  get address(): URL {
    return this.#session.endpoint.base;
  }

  /** Header fields for another program's GET. @throws UserError if the URL has another origin, or access is refused */
  async authorize(repository: string, url: URL): Promise<Authorization> {
    const { origin } = this.#session.endpoint.base;
    if (url.origin !== origin) {
      throw new UserError(
        { code: "reference-invalid", culprit: url.origin },
        `${url.origin} is not registry ${this.registry}.`,
        `Its address is ${origin}.`,
      );
    }
    const step = { doing: "asking who may download", repository };
    return this.#session.authorize({ url, access: pulling(repository), step });
  }

  listTags(repository: string): Promise<string[]> {
    return listTags(this.#session, repository);
  }

  listRepositories(): Promise<string[] | undefined> {
    return listRepositories(this.#session);
  }

  async referrers(repository: string, subject: Digest): Promise<readonly Descriptor[]> {
    const listed = await this.listedReferrers(repository, subject);
    return listed ?? (await this.taggedReferrers(repository, subject))?.manifests ?? [];
  }

  /** The same, for who stops as soon as possible: the tag comes first where the registry lacked the API. */
  async *referrerLists(repository: string, subject: Digest): AsyncGenerator<readonly Descriptor[]> {
    if (this.#session.can("referrers") !== false) return yield await this.referrers(repository, subject);
    yield (await this.taggedReferrers(repository, subject))?.manifests ?? [];
    yield (await this.listedReferrers(repository, subject)) ?? [];
  }

  /** Undefined: no such API (distribution specification 1.1, "Unavailable Referrers API"). */
  listedReferrers(repository: string, subject: Digest): Promise<readonly Descriptor[] | undefined> {
    return listReferrers(this.#session, repository, subject);
  }

  /** Clients maintain this list where the API is missing: distribution specification 1.1, "Referrers Tag Schema". */
  async taggedReferrers(
    repository: string,
    subject: Digest,
  ): Promise<{ readonly digest: Digest; readonly manifests: readonly Descriptor[] } | undefined> {
    const stored = await this.getManifest(repository, referrersTag(subject));
    if (!stored) return undefined;
    return {
      digest: stored.descriptor.digest,
      manifests: parseReferrers(this.#session, stored.bytes, repository, subject),
    };
  }

  /** False: it was not there. */
  async deleteManifest(repository: string, reference: string): Promise<boolean> {
    const step = { doing: `deleting manifest ${reference}`, repository };
    const response = await this.#send(step, {
      method: "DELETE",
      url: `/v2/${repository}/manifests/${reference}`,
      access: [{ repository, actions: ["delete", "pull"] }],
    });
    const { status } = response;
    if (status !== 404 && status > 299) {
      const cause = await this.#session.refusal(response, step);
      // Some registries answer so to the deletion of a tag.
      if (status !== 405 && (status !== 400 || isDigest(reference))) throw cause;
      const problem = `Registry ${this.registry} does not support ${step.doing} in ${repository}.`;
      const remedy = "Turn deletion on in the registry, if it has that setting.";
      throw new Unsupported(this.registry, problem, remedy, { cause });
    }
    await discard(response);
    return status !== 404;
  }

  close(): void {
    this.#session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
  #send(step: Step, request: Omit<RegistryRequest, "step">): Promise<RegistryResponse> {
    return this.#session.send({ ...request, step });
  }

  #broken(step: Step, problem: string): Failure {
    return protocolError(this.registry, `${problem} while ${step.doing} in ${step.repository}`);
  }
}

export function referrersTag(subject: Digest): string {
  return subject.replace(":", "-");
}

/** For {@link RegistryClient.readBlob}. */
export const configField = "configuration (field `config` of the manifest)";

/** In bytes. */
const maximumDocument = 8 * 1024 * 1024;
