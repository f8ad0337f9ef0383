import { ResultReader } from "../../core/protocol.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { asItIs, type LogOptions, podLog } from "../../kubernetes/logs.ts";
import { containerState, type Job, nonceAnnotation, type Pod } from "../../kubernetes/objects.ts";
import type { LogChunk, ShownLog } from "../engine.ts";
import { maximumResult } from "../runners.ts";
import type { Observed } from "./status.ts";
import { indexOf, LinePrefix } from "./sweep.ts";

export class JobOutput {
  readonly #notice: (text: string) => void;
  readonly #replies = new Map<string, string>();

  constructor(notice: (text: string) => void) {
    this.#notice = notice;
  }

  /** The result of a function: in the pod's termination message, or in the log. Then the message has its size. */
  async reply(cluster: Cluster, { job, pods }: Observed, signal?: AbortSignal): Promise<string | undefined> {
    const last = pods.at(-1);
    if (last === undefined) return undefined;
    const reader = resultReader(job, () => {});
    reader.write(Buffer.from(containerState(last).terminated?.message ?? ""));
    const words = reader.end();
    if (words !== undefined && !words.startsWith('{"logged"')) return words;
    const { name } = job.metadata;
    if (!this.#replies.has(name)) for await (const _ of this.read(cluster, job, last, { ...asItIs, signal }));
    return this.#replies.get(name) ?? words;
  }

  async *read(
    cluster: Cluster,
    job: Job,
    pod: Pod,
    options: LogOptions & Pick<ShownLog, "item">,
  ): AsyncGenerator<LogChunk> {
    const place = { namespace: cluster.namespace, name: pod.metadata.name };
    const isFunction = nonceOf(job) !== undefined;
    // A time before a result line would hide it.
    const log = podLog(cluster.api, place, { ...options, timestamps: options.timestamps && !isFunction });
    const index = options.item === undefined ? indexOf(pod) : undefined;
    const prefix = index === undefined ? undefined : new LinePrefix(`[${index}] `);
    const other: Buffer[] = [];
    const reader = isFunction ? resultReader(job, (data) => other.push(data)) : undefined;
    for (;;) {
      const { done, value } = await log.next();
      if (done) {
        if (!value) this.#notice(`The last output of pod ${pod.metadata.name} was deleted with it.`);
        break;
      }
      if (reader) reader.write(value);
      else other.push(prefix?.write(value) ?? value);
      for (const data of other.splice(0)) yield { stream: "stdout", data };
    }
    if (prefix) other.push(prefix.end());
    const reply = reader?.end();
    if (reply !== undefined) this.#replies.set(job.metadata.name, reply);
    for (const data of other) yield { stream: "stdout", data };
  }
}

/** Undefined: the job runs a command, not a function. */
export function nonceOf({ metadata }: Job): string | undefined {
  return metadata.annotations?.[nonceAnnotation];
}

function resultReader(job: Job, other: (data: Buffer) => void): ResultReader {
  return new ResultReader(nonceOf(job) ?? "", maximumResult + 64 * 1024, other);
}
