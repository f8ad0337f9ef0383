import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../core/errors.ts";
import type { Api } from "./api.ts";
import { isUnanswered, mayPass, refusalOf } from "./api-error.ts";
import { LogLines } from "./log-lines.ts";
import { containerName } from "./objects.ts";

/** Milliseconds between attempts to connect, and until the last one. */
const interval = 500;
const patience = 5 * 60_000;
/** Milliseconds after which an open connection counts as working. */
const steady = 10_000;

export interface LogOptions {
  readonly follow: boolean;
  /** Whether the container has ended, so that a new connection brings the rest. */
  readonly isOver: () => boolean;
  /** Settles when `isOver` may have changed. */
  readonly change: () => Promise<void>;
  /** Whether nothing prints now. */
  readonly isIdle?: () => boolean;
  readonly tail?: number | undefined;
  readonly since?: Date | undefined;
  readonly timestamps?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options that read a log without following it. */
export const asItIs = { follow: false, isOver: () => true, change: async () => {} };

export function lostResult(size: number): string {
  return `Its result of ${size} bytes is not in its pod's log any more, of which a node keeps the last 10 MiB. Print less, or store the result where both sides can read it and return its name.`;
}

/**
 * Both streams, as Kubernetes keeps them. Resumes where a connection breaks, an uncaught error in the library's Log.
 *
 * @returns false if the log was deleted before all of it was read
 */
export async function* podLog(
  api: Api,
  pod: { readonly namespace: string; readonly name: string },
  options: LogOptions,
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
      // A resumed connection brings all since the last line.
      const tailLines = known === undefined ? tail : undefined;
      const query = { container: containerName, follow, timestamps: true, sinceTime, tailLines };
      const body = await api.stream(path, { query, signal });
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
      // A stream that ends before its container is a broken connection.
      if (!follow || wasOver) return true;
      if (!isOver()) await Promise.race([change(), pause(signal)]);
      while (options.isIdle?.() && !isOver()) await change();
    } catch (error) {
      signal?.throwIfAborted();
      const refusal = refusalOf(error);
      if (refusal?.status === 404) return false;
      if (refusal !== undefined && !mayPass(error) && !isStarting(refusal)) throw error;
      // A long connection breaks because the program is silent.
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
  await delay(interval, undefined, { signal });
}

/** The server calls it a bad request to read the log of a container that does not run yet. */
function isStarting({ status, message }: { readonly status: number; readonly message: string }): boolean {
  return status === 400 && /waiting to start|ContainerCreating|PodInitializing|not available/.test(message);
}
