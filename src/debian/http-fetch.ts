import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Failure } from "../core/errors.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import type { Mirrors } from "./mirrors.ts";
import type { FetchFile } from "./update-lock.ts";

/** Milliseconds that an archive may be silent. */
const longestSilence = 30_000;

/**
 * Fetches files of archives over HTTP, through the proxies that the environment names (`http_proxy`, `https_proxy`, `no_proxy`), or from
 * `file:` addresses. Says every 5 seconds what it waits for.
 *
 * @param silence milliseconds that an archive may send nothing for
 */
export function mirrorFetch(mirrors: Mirrors, silence = longestSilence): FetchFile {
  return async (archive, path) => {
    const url = `${mirrors[archive]}/${path}`;
    if (url.startsWith("file:")) {
      return readFile(fileURLToPath(url)).catch((cause) => {
        throw failure(url, (cause as Error).message, cause);
      });
    }
    // In a bundle a CommonJS package has its default export alone.
    const { EnvHttpProxyAgent, fetch } = (await import("undici")).default;
    const dispatcher = new EnvHttpProxyAgent({ headersTimeout: silence, bodyTimeout: silence });
    const stop = heartbeat(`fetching ${url}`, { after: patience });
    try {
      const response = await fetch(url, { dispatcher });
      if (!response.ok) throw failure(url, `it answered ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw failure(url, reason(cause), cause);
    } finally {
      stop();
      await dispatcher.close();
    }
  };
}

function reason(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

function failure(url: string, why: string, cause?: unknown): Failure {
  return new Failure(
    { code: "repository-failed", culprit: url },
    `${url} could not be fetched: ${why}.`,
    "Check the mirror's address, the suite and the network.",
    cause === undefined ? undefined : { cause },
  );
}
