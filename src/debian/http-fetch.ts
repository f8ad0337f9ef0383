import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { Failure } from "../core/errors.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { leastPace, ReadLimit, readWhole } from "../core/read-whole.ts";
import type { Mirrors } from "./mirrors.ts";
import type { FetchFile } from "./update-lock.ts";

const longestSilence = 30_000;

/** Nothing vouches for InRelease yet. Debian's have 200 KB. */
const maximumRelease = 4 * 1024 * 1024;

/** Also `file:` addresses. Uses the proxy variables, and prints every 5 seconds what it waits for. */
export function mirrorFetch(mirrors: Mirrors, silence = longestSilence): FetchFile {
  return async (archive, path, _sha256, most = maximumRelease) => {
    const url = `${mirrors[archive]}/${path}`;
    if (url.startsWith("file:")) {
      return readWhole(createReadStream(fileURLToPath(url)), most).catch((cause) => {
        throw failure(url, explained(cause), cause);
      });
    }
    // In a bundle, a CommonJS package has only its default export.
    const { EnvHttpProxyAgent, interceptors, request } = (await import("undici")).default;
    const agent = new EnvHttpProxyAgent({ headersTimeout: silence, bodyTimeout: silence });
    const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 10 }));
    const stop = heartbeat(`fetching ${url}`, { after: patience });
    try {
      const { statusCode, body } = await request(url, { dispatcher });
      if (statusCode === 200) return await readWhole(body, most, silence, leastPace);
      body.on("error", () => {}).destroy();
      throw failure(url, `it answered ${statusCode}`);
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      throw failure(url, explained(cause), cause);
    } finally {
      stop();
      // `close` would wait for bodies that are not read to their end.
      await agent.destroy();
    }
  };
}

function explained(error: unknown): string {
  if (error instanceof ReadLimit) return `its answer ${error.message}`;
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
