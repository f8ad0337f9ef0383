import { Failure } from "../core/errors.ts";
import { countInterval } from "../core/heartbeat.ts";
import { podTrouble } from "../jobs/kubernetes/reasons.ts";
import { inOrder } from "../jobs/kubernetes/status.ts";
import { tellWaits } from "../jobs/kubernetes/waiting.ts";
import { mayPass } from "../kubernetes/api-error.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { eventsOf } from "../kubernetes/events.ts";
import { creationTrouble, type Trouble, waitingTrouble } from "../kubernetes/failure.ts";
import type { Quiet } from "../kubernetes/quiet.ts";
import { sentences } from "./pod-worker.ts";
import type { JobOfWorkers } from "./remove-workers.ts";

/** Milliseconds for which workers may be missing before a notice, and between two notices about them. */
const missingTime = 5000;
const missingInterval = 60_000;

interface Options {
  readonly tell: (text: string) => void;
  /** Those with workers that have not ended. */
  readonly jobs: () => readonly JobOfWorkers[];
  readonly quiet: Quiet;
  readonly fail: (error: unknown) => void;
}

/** Tells what workers wait for. If none runs, and none can ever run, it ends all. */
export class PodNotices {
  readonly #cluster: Cluster;
  readonly #name: string;
  readonly #options: Options;
  readonly #told = new Set<string>();
  #endWaits: (() => void) | undefined;
  #missingSince: number | undefined;
  #toldMissing = { at: Number.NEGATIVE_INFINITY, running: -1 };

  constructor(cluster: Cluster, name: string, options: Options) {
    this.#cluster = cluster;
    this.#name = name;
    this.#options = options;
  }

  update(): void {
    const waiting = this.#workers().filter(({ isWaiting }) => isWaiting);
    if (this.#isWorking() || waiting.length === 0) {
      this.#endWaits?.();
      this.#endWaits = undefined;
      return;
    }
    this.#endWaits ??= this.#tellWaits();
    const pod = waiting.flatMap((worker) => worker.pod ?? []).find((each) => waitingTrouble(each));
    if (pod) podTrouble(this.#cluster, pod).then(this.#note, this.#failUnlessPassing);
  }

  /** Says how many of the workers run, if others wait for long. */
  look(): void {
    // A Job without pods changes none.
    this.update();
    const workers = this.#workers();
    const running = workers.filter(({ hasBegun }) => hasBegun).length;
    if (running === 0 || running === workers.length) {
      this.#missingSince = undefined;
      return;
    }
    const now = performance.now();
    this.#missingSince ??= now;
    const { at } = this.#toldMissing;
    const isNew = running !== this.#toldMissing.running;
    if (now - this.#missingSince < missingTime || !isNew || now - at < missingInterval) return;
    this.#toldMissing = { at: now, running };
    void this.#why().then((why) => {
      const count = `${running} of ${workers.length} workers of ${this.#name} run; the others wait`;
      this.#options.tell(why === undefined ? `${count}.` : `${count}. ${why}`);
    });
  }

  end(): void {
    this.#endWaits?.();
    this.#endWaits = undefined;
  }

  #workers() {
    return this.#options.jobs().flatMap(({ workers }) => workers.filter(({ isOver }) => !isOver));
  }

  #isWorking(): boolean {
    return this.#workers().some(({ hasBegun }) => hasBegun);
  }

  #tellWaits(): () => void {
    const { tell, quiet } = this.#options;
    return tellWaits(this.#cluster, {
      notice: tell,
      look: () => {
        const job = this.#options.jobs().at(-1);
        if (job?.object === undefined) return undefined;
        return { job: job.object, pods: inOrder(job.workers.flatMap(({ pod }) => pod ?? [])) };
      },
      isQuiet: () => quiet.isQuiet,
      onEvents: (events) => this.#note(creationTrouble(events)),
      interval: countInterval,
    });
  }

  readonly #note = (trouble: Trouble | undefined): void => {
    if (trouble === undefined || this.#isWorking()) return;
    const { words, isFinal, identity } = trouble;
    if (isFinal) {
      this.#options.fail(new Failure(identity ?? { code: "job-failed", culprit: this.#name }, ...sentences(words)));
    } else if (!this.#told.has(words)) this.#options.tell(words);
    this.#told.add(words);
  };

  readonly #failUnlessPassing = (error: unknown): void => {
    // The watches report an error that may pass.
    if (!mayPass(error)) this.#options.fail(error);
  };

  /** Why workers wait: a pod that finds no node, or one that the cluster does not create. */
  async #why(): Promise<string | undefined> {
    for (const { workers, object } of this.#options.jobs()) {
      const waiting = workers.filter(({ isWaiting }) => isWaiting);
      const pods = waiting.flatMap(({ pod }) => pod ?? []);
      const trouble = pods.map((pod) => waitingTrouble(pod)).find((found) => found !== undefined);
      if (trouble) return trouble.words;
      if (object === undefined || pods.length === waiting.length) continue;
      const events = await eventsOf(this.#cluster, `involvedObject.uid=${object.metadata.uid}`).catch(() => []);
      const refused = creationTrouble(events);
      if (refused) return refused.words;
    }
    return undefined;
  }
}
