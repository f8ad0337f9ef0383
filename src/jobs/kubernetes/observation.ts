import type { Cluster } from "../../kubernetes/cluster.ts";
import type { Job, Pod } from "../../kubernetes/objects.ts";
import { Observer } from "../../kubernetes/observer.ts";
import { inOrder, type Observed } from "./status.ts";
import { jobNamed, podsOf } from "./submit.ts";

/** Milliseconds that the watch of the pods may be behind that of the job. */
const settleTime = 5000;

export class Observation extends Observer {
  #job: Job | undefined;
  #isGone = false;
  readonly #pods: Map<string, Pod>;
  #present: ReadonlyMap<string, Pod> = new Map();

  /** @param pods seen before, by name. It adds those that it sees, for observations after they are gone */
  constructor(
    cluster: Cluster,
    name: string,
    pods: Map<string, Pod>,
    signal: AbortSignal | undefined,
    notice: (text: string) => void,
  ) {
    super(signal, notice, "the job goes on");
    this.#pods = pods;
    this.watch<Job>(cluster.api, jobNamed(cluster, name), (items) => {
      const job = items.get(name);
      this.#isGone = job === undefined;
      // The last state of a deleted job tells why.
      this.#job = job ?? this.#job;
    });
    this.watch<Pod>(cluster.api, podsOf(cluster, name), (items) => {
      remember(pods, items.values());
      this.#present = new Map(items);
    });
  }

  /** Settles when the pods of an ended job have ended too, or when it is clear that their node does not answer. */
  async settled(signal?: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(settleTime);
    const isOpen = ({ status }: Pod) => status?.phase !== "Failed" && status?.phase !== "Succeeded";
    const wake = () => this.wake();
    late.addEventListener("abort", wake, { once: true });
    while (!late.aborted && [...this.#present.values()].some(isOpen)) await this.change(signal);
    late.removeEventListener("abort", wake);
  }

  /** Undefined: there never was such a job. */
  get observed(): Observed | undefined {
    return this.#job && { job: this.#job, pods: inOrder(this.#pods.values()) };
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
