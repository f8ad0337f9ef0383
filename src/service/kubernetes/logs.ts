import { podLog } from "../../engine/kubernetes/logs.ts";
import { containerName, containerState, type Pod } from "../../engine/kubernetes/objects.ts";
import type { Place } from "./apply.ts";
import { Observation } from "./observation.ts";
import { requireAll } from "./status.ts";
import { hasBegun } from "./workload.ts";

/** Bytes of a line that are held back until its end comes. */
const longestLine = 64 * 1024;

export interface LogOptions {
  /** Until the service is deleted or `signal` aborts, with pods that come; otherwise what there is. */
  readonly follow: boolean;
  readonly signal?: AbortSignal;
  /** Told what a person should know meanwhile. */
  readonly notice: (text: string) => void;
}

/**
 * Shows what the pods of a service print, line by line, each with its pod's name before it once there are several.
 *
 * @param write called with whole lines, one call after the other
 * @throws UserError when there is no such service
 */
export async function showServiceLogs(
  place: Place & { readonly context: string },
  name: string,
  options: LogOptions,
  write: (lines: Buffer) => Promise<void>,
): Promise<void> {
  const { follow, signal } = options;
  const over = new AbortController();
  const all = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const observation = new Observation(place, [name], all, options.notice);
  const begun = new Map<string, Promise<void>>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  let turn = Promise.resolve();
  const inTurn = (lines: Buffer) => {
    turn = turn.then(() => write(lines));
    return turn;
  };
  const find = (podName: string) => observation.of(name).pods.find(({ metadata }) => metadata.name === podName);

  const show = async (podName: string) => {
    const lines = new WholeLines();
    const prefixed = (text: Buffer) => (begun.size > 1 ? withPrefix(text, `[${podName}] `) : text);
    const isOver = () => !follow || hasEnded(find(podName));
    const isIdle = () => {
      const pod = find(podName);
      return pod !== undefined && containerState(pod).running === undefined;
    };
    const change = () => observation.change(all);
    const pod = { namespace: place.namespace, name: podName };
    for await (const piece of podLog(place.api, pod, { follow, isOver, isIdle, change, signal: all })) {
      const whole = lines.take(piece);
      if (whole.length > 0) await inTurn(prefixed(whole));
    }
    const rest = lines.rest();
    if (rest.length > 0) await inTurn(prefixed(rest));
  };

  try {
    await observation.ready(all);
    const { deployment, pods } = observation.of(name);
    requireAll([name], new Set(deployment || pods.length > 0 ? [name] : []), place);
    for (;;) {
      const { deployment, pods } = observation.of(name);
      const fresh = pods.filter((pod) => !begun.has(pod.metadata.name) && hasBegun(pod, containerName));
      // All of them first, so that each line knows of the others.
      for (const { metadata } of fresh) begun.set(metadata.name, Promise.resolve());
      for (const { metadata } of fresh) begun.set(metadata.name, show(metadata.name).catch(failed.reject));
      if (!follow || (deployment === undefined && pods.length === 0)) break;
      await Promise.race([observation.change(all), failed.promise]);
    }
    await Promise.race([Promise.all(begun.values()), failed.promise]);
    await turn;
  } finally {
    over.abort();
    observation.close();
  }
}

/** Whether a pod prints no more. */
function hasEnded(pod: Pod | undefined): boolean {
  if (pod === undefined) return true;
  const { phase } = pod.status ?? {};
  const isEnding = pod.metadata.deletionTimestamp !== undefined && containerState(pod).running === undefined;
  return isEnding || phase === "Succeeded" || phase === "Failed";
}

/** Puts pieces of text together to lines. */
class WholeLines {
  #rest: Buffer = Buffer.alloc(0);

  take(piece: Buffer): Buffer {
    const text = Buffer.concat([this.#rest, piece]);
    const end = text.lastIndexOf("\n") + 1;
    this.#rest = text.subarray(end);
    if (this.#rest.length <= longestLine) return text.subarray(0, end);
    const long = Buffer.concat([text, Buffer.from("\n")]);
    this.#rest = Buffer.alloc(0);
    return long;
  }

  /** A last line that has no end. */
  rest(): Buffer {
    return this.#rest.length === 0 ? this.#rest : Buffer.concat([this.#rest, Buffer.from("\n")]);
  }
}

function withPrefix(lines: Buffer, prefix: string): Buffer {
  // One character for each byte, so that whatever they are comes out as it is.
  const text = lines.toString("latin1").slice(0, -1).split("\n");
  return Buffer.from(text.map((line) => `${prefix}${line}\n`).join(""), "latin1");
}
