import type { Readable } from "node:stream";
import { Backoff } from "../core/back-off.ts";
import type { Environment } from "../core/environment.ts";
import { Failure, UserError } from "../core/errors.ts";
import { splitDigest } from "../oci/digest.ts";
import type { RetryPolicy } from "../registry/client/retry.ts";
import { defaultRetryPolicy } from "../registry/client/retry.ts";
import { accessTo } from "./access.ts";
import { type CacheAddress, parseCacheAddress } from "./address.ts";
import { diskStore } from "./disk-store.ts";
import { CacheFault } from "./fault.ts";
import { grpcStore } from "./grpc-store.ts";
import { httpStore } from "./http-store.ts";
import type { BlobId, BlobStore } from "./store.ts";

export interface CacheLimits {
  readonly retry: RetryPolicy;
  /** A stream without {@link leastBytes} for so long has stalled. */
  readonly silence: number;
}

const defaultLimits: CacheLimits = { retry: { ...defaultRetryPolicy, attempts: 5 }, silence: 60_000 };

const leastBytes = 64 * 1024;

/** A disk cache, an HTTP cache, or a build farm's storage. Connects when first asked. */
export class RemoteCache {
  readonly address: CacheAddress;
  readonly #env: Environment;
  readonly #limits: CacheLimits;
  #store: Promise<BlobStore> | undefined;

  constructor(address: string, env: Environment, limits: CacheLimits = defaultLimits) {
    this.address = parseCacheAddress(address);
    this.#env = env;
    this.#limits = limits;
  }

  /** @throws UserError or Failure that names the cache */
  async missing(blobs: readonly BlobId[]): Promise<readonly BlobId[]> {
    const backoff = new Backoff(this.#limits.retry);
    for (;;) {
      const deadline = AbortSignal.timeout(this.#limits.silence);
      try {
        return await (await this.#connected()).missing(blobs, deadline);
      } catch (error) {
        const fault = this.#faultOf(error, deadline);
        if (!isPassing(fault) || !(await backoff.wait())) throw this.#explain(fault);
      }
    }
  }

  /** From `start` up to, not including, `end`. Continues a broken stream. Verifies a whole blob; a part cannot be. */
  open(blob: BlobId, start: number, end: number): Readable {
    const { Readable } = process.getBuiltinModule("node:stream");
    return Readable.from(this.#read(blob, start, end), { objectMode: false });
  }

  async close(): Promise<void> {
    (await this.#store?.catch(() => undefined))?.close();
  }

  async *#read(blob: BlobId, start: number, end: number): AsyncGenerator<Uint8Array> {
    const isWhole = start === 0 && end === blob.size;
    const { algorithm, hex } = splitDigest(blob.digest);
    const hash = isWhole ? process.getBuiltinModule("node:crypto").createHash(algorithm) : undefined;
    const backoff = new Backoff(this.#limits.retry);
    let position = start;
    let held: Uint8Array = new Uint8Array();
    while (position < end) {
      const stop = new AbortController();
      const stalled = new Stall(this.#limits.silence, stop);
      try {
        for await (const bytes of (await this.#connected()).read(blob, position, end, stop.signal)) {
          stalled.heard(bytes.length);
          if (isWhole && position + bytes.length > end) {
            throw new CacheFault("permanent", `gave more than the ${blob.size} bytes of blob ${blob.digest}`);
          }
          const wanted = bytes.subarray(0, end - position);
          if (wanted.length > 0) {
            position += wanted.length;
            hash?.update(wanted);
            backoff.reset();
            // The last bytes wait until the digest is known: nobody can take a damaged blob for a whole one.
            if (held.length > 0) yield held;
            held = wanted;
          }
          if (position === end && !isWhole) break;
          stalled.waitAgain();
        }
        if (position < end) throw new CacheFault("passing", `ended after ${position} of ${end} bytes`);
      } catch (error) {
        const fault = this.#faultOf(error, stop.signal);
        if (!isPassing(fault) || !(await backoff.wait())) throw this.#explain(fault, blob);
      } finally {
        stalled.end();
        stop.abort();
      }
    }
    if (hash && hash.digest("hex") !== hex) {
      throw this.#explain(new CacheFault("permanent", `gave other bytes than those of blob ${blob.digest}`), blob);
    }
    if (held.length > 0) yield held;
  }

  #connected(): Promise<BlobStore> {
    this.#store ??= this.#connect();
    return this.#store;
  }

  async #connect(): Promise<BlobStore> {
    const { address } = this;
    if (address.kind === "disk") return diskStore(address.folder);
    const access = await accessTo(address, this.#env);
    return address.kind === "http" ? httpStore(address, access) : grpcStore(address, access);
  }

  #faultOf(error: unknown, deadline: AbortSignal): unknown {
    if (deadline.aborted) {
      return new CacheFault("passing", `sent less than ${leastBytes / 1024} KiB in ${this.#limits.silence / 1000} s`, {
        cause: error,
      });
    }
    return error;
  }

  #explain(error: unknown, blob?: BlobId): unknown {
    if (!(error instanceof CacheFault)) return error;
    const { host } = this.address;
    const where = `The remote cache ${host}`;
    if (error.kind === "refused") {
      return new UserError(
        { code: "remote-cache-failed", culprit: host },
        `${where} refuses access: it ${error.message}.`,
        `Write header fields, a client certificate or a credential helper under remoteCaches.${host} in the configuration file.`,
        { cause: error },
      );
    }
    const remedies = {
      ca: `Set remoteCaches.${host}.ca in the configuration file to the certificate of the cache's authority.`,
      certificate: `Check the network. If the cache wants a client certificate, set remoteCaches.${host}.certificate and .key in the configuration file.`,
      none: "Check the network, the cache, and its address in the build setting @slipway//bazel/settings:remote_cache.",
    };
    const remedy =
      error.kind === "missing"
        ? "Build the target again with --output_groups=+layers, which brings its layers back."
        : remedies[error.setting ?? "none"];
    const what =
      error.kind === "missing" && blob ? `no longer has blob ${blob.digest}: it ${error.message}` : error.message;
    const code = error.kind === "missing" ? "layer-evicted" : "remote-cache-failed";
    return new Failure({ code, culprit: host }, `${where} ${what}.`, remedy, { cause: error });
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof CacheFault && error.kind === "passing";
}

/** Stops a silent or dripping stream. Only time in which the reader waits counts. */
class Stall {
  readonly #silence: number;
  readonly #stop: AbortController;
  #timer: NodeJS.Timeout | undefined;
  #heard = 0;
  #left: number;
  #since = 0;

  constructor(silence: number, stop: AbortController) {
    this.#silence = silence;
    this.#stop = stop;
    this.#left = silence;
    this.waitAgain();
  }

  waitAgain(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(() => this.#stop.abort(), this.#left);
  }

  heard(bytes: number): void {
    clearTimeout(this.#timer);
    this.#heard += bytes;
    this.#left -= performance.now() - this.#since;
    if (this.#heard < leastBytes && this.#left > 0) return;
    this.#heard = 0;
    this.#left = this.#silence;
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
