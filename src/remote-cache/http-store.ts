import { splitDigest } from "../oci/digest.ts";
import { HttpConnection, type HttpResponse } from "../registry/client/http.ts";
import { isRetriableFault, isRetriableStatus } from "../registry/client/retry.ts";
import type { CacheAccess } from "./access.ts";
import type { CacheAddress } from "./address.ts";
import { CacheFault } from "./fault.ts";
import type { BlobId, BlobStore } from "./store.ts";

const maximumRedirects = 5;
const parallel = 8;

/** `GET` and `HEAD` of `cas/HEX`, as Bazel asks. */
export function httpStore({ base }: CacheAddress & { kind: "http" }, access: CacheAccess): BlobStore {
  const http = new HttpConnection({
    origin: base.origin,
    connections: parallel,
    connectTimeout: 30_000,
    idleTimeout: 60_000,
    trust: access.trust,
    env: access.env,
  });

  async function ask(
    method: "GET" | "HEAD",
    { digest }: BlobId,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    let url = new URL(`cas/${splitDigest(digest).hex}`, base);
    for (let followed = 0; ; followed++) {
      // Only the cache itself gets the credential.
      const own = url.origin === base.origin ? await access.headers() : {};
      const response = await http.send({ method, url, headers: { ...own, ...headers }, signal }).catch((cause) => {
        const kind = isRetriableFault(cause) ? "passing" : "permanent";
        throw new CacheFault(kind, `cannot be reached: ${cause.message}`, { cause });
      });
      const { location } = response.headers;
      if (![301, 302, 303, 307, 308].includes(response.status) || location === undefined) return response;
      await discard(response);
      const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
      const isSafe = next?.protocol === "https:" || (next?.protocol === "http:" && base.protocol === "http:");
      if (!next || !isSafe || followed >= maximumRedirects) {
        throw new CacheFault("permanent", "redirects to an address that is not allowed");
      }
      url = next;
    }
  }

  return {
    async *read(blob, start, end, signal) {
      const isWhole = start === 0 && end === blob.size;
      const headers = isWhole ? {} : { range: `bytes=${start}-${end - 1}` };
      const response = await ask("GET", blob, { ...headers, "accept-encoding": "identity" }, signal);
      await check(response);
      const isPart = response.status === 206;
      if (isPart && !response.headers["content-range"]?.startsWith(`bytes ${start}-`)) {
        response.body.destroy();
        throw new CacheFault("permanent", "answered with another part of the blob than asked for");
      }
      // A cache without ranges starts at the beginning.
      let skip = isPart ? 0 : start;
      try {
        for await (const chunk of response.body as AsyncIterable<Buffer>) {
          const wanted = chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - wanted.length;
          if (wanted.length > 0) yield wanted;
        }
      } catch (cause) {
        throw new CacheFault("passing", `broke off: ${(cause as Error).message}`, { cause });
      }
    },

    async missing(blobs, signal) {
      const lacking: BlobId[] = [];
      const queue = [...blobs];
      const work = async () => {
        for (let blob = queue.pop(); blob; blob = queue.pop()) {
          const response = await ask("HEAD", blob, {}, signal);
          // A cache without HEAD cannot say; a GET will.
          if (response.status === 405 || response.status === 501) await discard(response);
          else if (response.status === 404 || response.status === 410) {
            await discard(response);
            lacking.push(blob);
          } else {
            await check(response);
            await discard(response);
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(parallel, blobs.length) }, work));
      return lacking;
    },

    close: () => http.close(),
  };
}

async function check(response: HttpResponse): Promise<void> {
  const { status } = response;
  if (status === 200 || status === 206) return;
  await discard(response);
  const answered = `answered with status ${status}`;
  if (status === 404 || status === 410) throw new CacheFault("missing", answered);
  if ([401, 403, 407].includes(status)) throw new CacheFault("refused", answered);
  throw new CacheFault(isRetriableStatus(status) ? "passing" : "permanent", answered);
}

async function discard({ body }: HttpResponse): Promise<void> {
  body.on("error", () => {});
  if (Number(body.headers["content-length"] ?? 0) > 64 * 1024) body.destroy();
  else body.resume();
}
