import { Readable } from "node:stream";
import { Backoff } from "../../core/back-off.ts";
import { type Failure, UserError } from "../../core/errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { DigestMismatch, DigestVerifier } from "../../oci/digest.ts";
import { formatReference } from "../../oci/reference.ts";
import { discard, protocolError, type Step } from "./refusal.ts";
import { isRetriableFault } from "./retry.ts";
import type { RegistryResponse, Session } from "./session.ts";

export interface DownloadOptions {
  readonly repository: string;
  readonly descriptor: Pick<Descriptor, "digest" | "size">;
  readonly signal?: AbortSignal | undefined;
}

/** A blob's verified content: the stream fails at its end on a wrong digest. Resumes a transfer that breaks off. */
export function downloadBlob(session: Session, options: DownloadOptions): Readable {
  const { size } = options.descriptor;
  const verifier = new ReportingVerifier(session.endpoint.registry, options);
  const content = Readable.from(downloadRange(session, { ...options, start: 0, end: size }), { objectMode: false });
  content.on("error", (error) => verifier.destroy(error));
  verifier.on("close", () => content.destroy());
  return content.pipe(verifier);
}

class ReportingVerifier extends DigestVerifier {
  readonly #registry: string;
  readonly #repository: string;

  constructor(registry: string, { repository, descriptor }: DownloadOptions) {
    super(descriptor.digest, descriptor.size);
    this.#registry = registry;
    this.#repository = repository;
  }

  override _destroy(cause: Error | null, done: (error?: Error | null) => void): void {
    const isDamaged = cause instanceof DigestMismatch || cause instanceof RangeError;
    const problem = `sent a damaged blob from ${this.#repository}: ${cause?.message}`;
    super._destroy(isDamaged ? protocolError(this.#registry, problem, undefined, { cause }) : cause, done);
  }
}

/** Bytes from `start` up to, not including, `end`, unverified. */
export async function* downloadRange(
  session: Session,
  options: DownloadOptions & { readonly start: number; readonly end: number },
): AsyncGenerator<Buffer> {
  const { repository, descriptor, end } = options;
  const step: Step = { doing: `downloading blob ${descriptor.digest}`, repository };
  const backoff = new Backoff(session.retry);
  let position = options.start;
  while (position < end) {
    const response = await request(session, options, position, step);
    // A server without ranges starts at the beginning again.
    let skip = response.status === 206 ? 0 : position;
    // A slow reader does not count.
    let waited = 0;
    let received = 0;
    let gained = 0;
    let asked = performance.now();
    try {
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        waited += performance.now() - asked;
        received += chunk.length;
        if (waited > session.answerTimeout) {
          if (received < leastBytes) throw tooSlow(session, received, step);
          waited = 0;
          received = 0;
        }
        const wanted = chunk.subarray(Math.min(skip, chunk.length), Math.max(0, skip + end - position));
        skip -= Math.min(skip, chunk.length);
        if (wanted.length > 0) {
          position += wanted.length;
          gained += wanted.length;
          if (gained >= leastBytes) backoff.reset();
          yield wanted;
        } else if (position >= end) {
          return;
        }
        asked = performance.now();
      }
      // The verifier reports missing bytes.
      return;
    } catch (error) {
      if (!isRetriableFault(error)) throw error;
      if (!(await backoff.wait({ signal: options.signal }))) throw session.lost(step, backoff.attempts, error);
    }
  }
}

/** Fewer bytes in the time of an answer count as no progress. */
const leastBytes = 64 * 1024;

function tooSlow(session: Session, received: number, { doing, repository }: Step): Failure {
  const problem = `sent only ${received} bytes in ${session.answerTimeout / 1000} s while ${doing} in ${repository}`;
  return protocolError(session.endpoint.registry, problem, "Check the network and the registry, then try again.");
}

async function request(
  session: Session,
  options: DownloadOptions & { readonly end: number },
  start: number,
  step: Step,
): Promise<RegistryResponse> {
  const { repository, descriptor, end } = options;
  const whole = start === 0 && end === descriptor.size;
  const response = await session.send({
    method: "GET",
    url: `/v2/${repository}/blobs/${descriptor.digest}`,
    access: [{ repository, actions: ["pull"] }],
    step,
    headers: { accept: "*/*", ...(whole ? {} : { range: `bytes=${start}-${end - 1}` }) },
    signal: options.signal,
  });
  if (response.status === 200 || response.status === 206) return response;
  if (response.status === 404) {
    await discard(response);
    const { registry } = session.endpoint;
    const { digest } = descriptor;
    throw new UserError(
      { code: "image-not-found", culprit: formatReference({ registry, repository, digest }) },
      `Registry ${registry} has no blob ${digest} in ${repository}.`,
      "Check the name; if an image there names the blob, push that image again.",
    );
  }
  throw await session.refusal(response, step);
}
