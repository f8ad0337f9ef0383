import { Changes } from "../../core/changes.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import type { Job, Pod } from "../../kubernetes/objects.ts";
import { Quiet } from "../../kubernetes/quiet.ts";
import { watchAll } from "../../kubernetes/watch.ts";
import { inOrder, type Observed } from "./status.ts";
import { jobsPath, podsOf } from "./submit.ts";

/** Milliseconds that pods may be behind their job. */
const settleTime = 5000;

/** A job and its pods as they are now, kept up to date. */
export class Observation {
  #job: Job | undefined;
  #isGone = false;
  /** Also those that are gone: their last state tells why. */
  readonly #pods: Map<string, Pod>;
  #present: ReadonlyMap<string, Pod> = new Map();
  readonly #closing = new AbortController();
  readonly #changes = new Changes();
  readonly #quiet: Quiet;
  #seen = new Set<"job" | "pods">();

  /**
   * @param pods of the job that were seen before, by name; what is seen is added: the next observation may come when they are gone
   * @param notice told what a person should know meanwhile
   */
  constructor(
    cluster: Cluster,
    name: string,
    pods: Map<string, Pod>,
    signal: AbortSignal | undefined,
    notice: (text: string) => void,
  ) {
    this.#pods = pods;
    const all = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal;
    this.#quiet = new Quiet(notice, "the job goes on");
    const options = { signal: all, quiet: this.#quiet };
    const changed = (what: "job" | "pods") => {
      this.#seen.add(what);
      this.#changes.wake();
    };
    const failed = (error: unknown) => this.#changes.fail(error);
    const { api } = cluster;
    const jobs = { path: jobsPath(cluster), fieldSelector: `metadata.name=${name}` };
    watchAll<Job>(api, jobs, options, (items) => {
      const job = items.get(name);
      this.#isGone = job === undefined;
      // The last state before it was deleted tells how that came.
      this.#job = job ?? this.#job;
      changed("job");
    }).then(() => this.#changes.wake(), failed);
    watchAll<Pod>(api, podsOf(cluster, name), options, (items) => {
      remember(pods, items.values());
      this.#present = new Map(items);
      changed("pods");
    }).then(() => this.#changes.wake(), failed);
    signal?.addEventListener("abort", () => this.#changes.wake(), { once: true, signal: this.#closing.signal });
  }

  /** Settles once job and pods were seen; rejects when they cannot be. */
  async ready(signal?: AbortSignal): Promise<void> {
    while (this.#seen.size < 2) await this.change(signal);
  }

  /** Settles with the next change; rejects when there will be none. It need not be waited for. */
  change(signal?: AbortSignal): Promise<void> {
    const change = this.#changes.next(signal);
    change.catch(() => {});
    return change;
  }

  /**
   * Settles once what is known of the pods is as new as what is known of their job, which has ended: the two come by different ways. Pods of a node
   * that does not answer are not waited for.
   */
  async settled(signal?: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(settleTime);
    const isOpen = ({ status }: Pod) => status?.phase !== "Failed" && status?.phase !== "Succeeded";
    const wake = () => this.#changes.wake();
    late.addEventListener("abort", wake, { once: true });
    while (!late.aborted && [...this.#present.values()].some(isOpen)) await this.change(signal);
    late.removeEventListener("abort", wake);
  }

  /** Undefined: there is no such job, and was none. */
  get observed(): Observed | undefined {
    return this.#job && { job: this.#job, pods: inOrder(this.#pods.values()) };
  }

  /** Whether the cluster does not answer, which people are told. */
  get isQuiet(): boolean {
    return this.#quiet.isQuiet;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  hasPod(name: string): boolean {
    return this.#present.has(name);
  }

  get hasPods(): boolean {
    return this.#present.size > 0;
  }

  close(): void {
    this.#quiet.answered();
    this.#closing.abort();
  }
}

/**
 * Takes note of pods as they are now, but for the time at which their deletion was asked for: the node's own deletion, which is the last, replaces it.
 *
 * @param known pods by name
 */
export function remember(known: Map<string, Pod>, pods: Iterable<Pod>): void {
  for (const pod of pods) {
    const { name } = pod.metadata;
    const { deletionTimestamp, deletionGracePeriodSeconds } = known.get(name)?.metadata ?? {};
    const isAsked = deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined;
    const metadata = isAsked ? { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds } : pod.metadata;
    known.set(name, { ...pod, metadata });
  }
}
