import { setTimeout as delay } from "node:timers/promises";
import { mayPass } from "../../kubernetes/api-error.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { eventsOf } from "../../kubernetes/events.ts";
import {
  creationTrouble,
  goneFailure,
  podFailure,
  reconsidered,
  type Trouble,
  waitingTrouble,
} from "../../kubernetes/failure.ts";
import { conditionOf, containerState, type Pod } from "../../kubernetes/objects.ts";
import { hasEnded, type JobStatus } from "../engine.ts";
import { type Observed, statusOf } from "./status.ts";

/** Milliseconds without a pod after which the cluster is asked why, and between two such requests. */
const podTime = 2000;

export class Waiting {
  readonly #notice: (text: string) => void;
  readonly #since = Date.now();
  #told = "";

  constructor(notice: (text: string) => void) {
    this.#notice = notice;
  }

  isLong(): boolean {
    return Date.now() - this.#since >= podTime;
  }

  /** Prints a trouble that may pass, once. @returns a final one */
  note(trouble: Trouble | undefined): Trouble | undefined {
    if (trouble === undefined || trouble.isFinal) return trouble;
    if (trouble.words !== this.#told) this.#notice(trouble.words);
    this.#told = trouble.words;
    return undefined;
  }

  /** Settles with a change. For a job without a pod, also after a while. */
  async change(change: Promise<void>, { pods }: Observed): Promise<void> {
    if (pods.length > 0) return change;
    const stop = new AbortController();
    const timer = delay(podTime, undefined, { signal: stop.signal }).catch(() => {});
    await Promise.race([change, timer]).finally(() => stop.abort());
  }
}

/** Why a job does not start. Undefined if the cluster does not answer: the watch of the job reports that. */
export async function troubleOf(cluster: Cluster, observed: Observed, waiting: Waiting): Promise<Trouble | undefined> {
  const last = observed.pods.at(-1);
  try {
    if (last) return containerState(last).terminated ? undefined : await podTrouble(cluster, last);
    return waiting.isLong() ? await whyWithoutPod(cluster, observed) : undefined;
  } catch (error) {
    if (!mayPass(error)) throw error;
    return undefined;
  }
}

export async function podTrouble(cluster: Cluster, pod: Pod): Promise<Trouble | undefined> {
  const found = waitingTrouble(pod);
  if (!found?.blamesSecret) return found;
  return reconsidered(found, pod, await eventsOf(cluster, `involvedObject.uid=${pod.metadata.uid}`));
}

export async function whyWithoutPod(cluster: Cluster, { job, pods }: Observed): Promise<Trouble | undefined> {
  if (pods.length > 0 || job.spec.suspend || hasEnded(statusOf("", { job, pods }))) return undefined;
  return creationTrouble(await eventsOf(cluster, `involvedObject.uid=${job.metadata.uid}`));
}

/** Adds the reason to the status of a job whose last pod was gone before its end was seen. */
export async function withReason(cluster: Cluster, { job, pods }: Observed, status: JobStatus): Promise<JobStatus> {
  if (status.state !== "failed" || conditionOf(job, "Failed")?.reason !== "BackoffLimitExceeded") return status;
  const last = pods.at(-1);
  if (last !== undefined && (containerState(last).terminated !== undefined || podFailure(last) !== undefined)) {
    return status;
  }
  return { ...status, reason: goneFailure(job, await eventsOf(cluster, "involvedObject.kind=Pod")) };
}
