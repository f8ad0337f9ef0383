import { Changes } from "../../core/changes.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import type { Job, Pod } from "../../kubernetes/objects.ts";
import { Quiet } from "../../kubernetes/quiet.ts";
import { watchAll } from "../../kubernetes/watch.ts";
import { inOrder, type Observed } from "./status.ts";
import { jobNamed, podsOf } from "./submit.ts";

/** Milliseconds that the watch of the pods may be behind that of the job. */
const settleTime = 5000;

/** Watches a job and its pods. */
export class Observation {
  #job: Job | undefined;
  #isGone = false;
  /** With deleted pods, whose last state tells why. */
  readonly #pods: Map<string, Pod>;
  #present: ReadonlyMap<string, Pod> = new Map();
  readonly #closing = new AbortController();
  readonly #changes = new Changes();
  readonly #quiet: Quiet;
  #seen = new Set<"job" | "pods">();

  /** @param pods seen before, by name. It adds those that it sees, for observations after they are gone */
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
    watchAll<Job>(api, jobNamed(cluster, name), options, (items) => {
      const job = items.get(name);
      this.#isGone = job === undefined;
      // The last state of a deleted job tells why.
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

  /** Settles when the job and its pods are known. */
  async ready(signal?: AbortSignal): Promise<void> {
    while (this.#seen.size < 2) await this.change(signal);
  }

  /** Settles with the next change, and rejects if there will be none. */
  change(signal?: AbortSignal): Promise<void> {
    const change = this.#changes.next(signal);
    change.catch(() => {});
    return change;
  }

  /** Settles when the pods of an ended job have ended too, or when it is clear that their node does not answer. */
  async settled(signal?: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(settleTime);
    const isOpen = ({ status }: Pod) => status?.phase !== "Failed" && status?.phase !== "Succeeded";
    const wake = () => this.#changes.wake();
    late.addEventListener("abort", wake, { once: true });
    while (!late.aborted && [...this.#present.values()].some(isOpen)) await this.change(signal);
    late.removeEventListener("abort", wake);
  }

  /** Undefined: there never was such a job. */
  get observed(): Observed | undefined {
    return this.#job && { job: this.#job, pods: inOrder(this.#pods.values()) };
  }

  /** Whether the cluster does not answer. A notice says so. */
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

/** Adds pods to the known ones. Keeps the time of the first deletion, because the node's own deletion replaces it. */
export function remember(known: Map<string, Pod>, pods: Iterable<Pod>): void {
  for (const pod of pods) {
    const { name } = pod.metadata;
    const { deletionTimestamp, deletionGracePeriodSeconds } = known.get(name)?.metadata ?? {};
    const isAsked = deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined;
    const metadata = isAsked ? { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds } : pod.metadata;
    known.set(name, { ...pod, metadata });
  }
}
