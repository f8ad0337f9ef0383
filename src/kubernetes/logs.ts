import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../core/errors.ts";
import type { Api } from "./api.ts";
import { isUnanswered, mayPass, refusalOf } from "./api-error.ts";
import { LogLines } from "./log-lines.ts";
import { containerName } from "./objects.ts";

/** Milliseconds between connections, and for how long one is sought. */
const interval = 500;
const patience = 5 * 60_000;
/** Milliseconds that a connection which works is open for. */
const steady = 10_000;

/** Options to read a log that is not followed. */
export const asItIs = { follow: false, isOver: () => true, change: async () => {} };

/** Why a result of so many bytes is not there that was written to a log. */
export function lostResult(size: number): string {
  return `Its result of ${size} bytes is not in its pod's log any more, of which a node keeps the last 10 MiB. Print less, or store the result where both sides can read it and return its name.`;
}

/**
 * What the program of one pod printed, standard output and error together, which is how Kubernetes keeps them. Broken connections are taken up
 * where they broke. In the client library's Log, a broken connection is an uncaught error.
 *
 * @param options `follow`: until the container ends; `isOver`: whether it has ended, so that a connection begun after that brings all; `change`: settles
 *   once that may have changed; `isIdle`: whether nothing runs that prints, which may change
 * @returns false when the pod, and with it the log, is gone before all of it was read
 */
export async function* podLog(
  api: Api,
  pod: { readonly namespace: string; readonly name: string },
  options: {
    readonly follow: boolean;
    readonly isOver: () => boolean;
    readonly change: () => Promise<void>;
    readonly isIdle?: () => boolean;
    /** The last lines alone, so many. */
    readonly tail?: number | undefined;
    /** Nothing older than this. */
    readonly since?: Date | undefined;
    /** Whether each line begins with the time when it was printed. */
    readonly timestamps?: boolean | undefined;
    readonly signal?: AbortSignal;
  },
): AsyncGenerator<Buffer, boolean> {
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/log`;
  const { follow, isOver, change, signal, tail, since } = options;
  const lines = new LogLines(options.timestamps);
  let quietSince: number | undefined;
  for (;;) {
    const wasOver = isOver();
    let openSince: number | undefined;
    try {
      const known = lines.since();
      const sinceTime = known ?? since?.toISOString();
      // A connection that is taken up again brings all that came since the last line.
      const tailLines = known === undefined ? tail : undefined;
      const query = { container: containerName, follow, timestamps: true, sinceTime, tailLines };
      const body = await api.stream(path, { query, ...(signal ? { signal } : {}) });
      openSince = Date.now();
      try {
        for await (const chunk of body) {
          quietSince = undefined;
          const fresh = lines.write(chunk as Buffer);
          if (fresh.length > 0) yield fresh;
        }
      } finally {
        body.destroy();
      }
      if (lines.isOther && (wasOver || !follow)) return false;
      // An end that came before the container's is the connection's alone, whatever it looks like.
      if (!follow || wasOver) return true;
      if (!isOver()) await Promise.race([change(), pause(signal)]);
      while (options.isIdle?.() && !isOver()) await change();
    } catch (error) {
      signal?.throwIfAborted();
      const refusal = refusalOf(error);
      if (refusal?.status === 404) return false;
      if (refusal !== undefined && !mayPass(error) && !isStarting(refusal)) throw error;
      // One that was open for a while broke off for its silence, which is the program's.
      if (openSince !== undefined && Date.now() - openSince >= steady) quietSince = undefined;
      quietSince ??= Date.now();
      if (Date.now() - quietSince > patience) {
        if (refusal !== undefined || isUnanswered(error)) throw error;
        throw new Failure(
          { code: "cluster-unreachable", culprit: pod.name },
          `The log of pod ${pod.name} is cut short: ${(error as Error).message}.`,
          "Read the log again.",
          { cause: error },
        );
      }
      await pause(signal);
    }
  }
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await delay(interval, undefined, signal ? { signal } : {});
}

/** Before its container runs a pod has no log, which is a bad request. */
function isStarting({ status, message }: { readonly status: number; readonly message: string }): boolean {
  return status === 400 && /waiting to start|ContainerCreating|PodInitializing|not available/.test(message);
}
