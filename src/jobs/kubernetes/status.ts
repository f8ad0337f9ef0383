import { jobFailure, type Trouble, waitingTrouble } from "../../kubernetes/failure.ts";
import {
  commitAnnotation,
  conditionOf,
  containerState,
  endAnnotation,
  hasBegun,
  type Job,
  type Pod,
} from "../../kubernetes/objects.ts";
import type { JobStatus } from "../engine.ts";
import { itemsOf } from "./sweep.ts";

/** The {@link endAnnotation} of a cancelled job. */
export const cancelled = "cancelled";

export interface Observed {
  readonly job: Job;
  readonly pods: readonly Pod[];
}

export function inOrder(pods: Iterable<Pod>): Pod[] {
  const key = ({ metadata }: Pod) => `${metadata.creationTimestamp} ${metadata.name}`;
  return [...pods].sort((one, other) => (key(one) < key(other) ? -1 : 1));
}

/** @param creation what keeps the job from getting a pod */
export function statusOf(id: string, { job, pods }: Observed, creation?: Trouble): JobStatus {
  const { active = 0, succeeded = 0, failed = 0, startTime, completionTime } = job.status ?? {};
  const last = pods.at(-1);
  const end = job.metadata.annotations?.[endAnnotation];
  const failure = conditionOf(job, "Failed");
  const terminated = last && containerState(last).terminated;
  // The job controller is a second or two behind its pods.
  const isIndexed = job.spec.completionMode === "Indexed";
  const hasSucceeded = !isIndexed && last?.status?.phase === "Succeeded";
  const failedPods = pods.filter(({ status }) => status?.phase === "Failed").length;
  const hasFailed = !isIndexed && failedPods > (job.spec.backoffLimit ?? 0);
  const image = job.spec.template.spec?.containers[0]?.image;
  const commit = job.metadata.annotations?.[commitAnnotation];
  const common = {
    id,
    ...(image === undefined ? {} : { image }),
    ...(commit === undefined ? {} : { commit }),
    attempts: Math.max(pods.length, active + succeeded + failed),
    submitted: job.metadata.creationTimestamp,
    ...(startTime === undefined ? {} : { started: startTime }),
    ...(terminated && !isIndexed ? { exitStatus: terminated.exitCode } : {}),
    ...(isIndexed ? { items: itemsOf({ job, pods }) } : {}),
  };
  const isOver = conditionOf(job, "Complete") !== undefined || failure !== undefined;
  if (end !== undefined || (job.metadata.deletionTimestamp !== undefined && !isOver)) {
    return { ...common, state: "running", reason: "It is being ended." };
  }
  if (conditionOf(job, "Complete") || hasSucceeded) {
    const ended = completionTime ?? terminated?.finishedAt;
    return { ...common, state: "succeeded", exitStatus: 0, ...(ended ? { ended } : {}) };
  }
  if (failure || hasFailed) {
    const reason = failure?.reason === "FailedIndexes" ? undefined : jobFailure(job, last);
    const ended = failure?.lastTransitionTime ?? terminated?.finishedAt;
    return { ...common, state: "failed", ...(reason ? { reason } : {}), ...(ended ? { ended } : {}) };
  }
  if (job.spec.suspend) {
    const reason =
      "It is not released yet. Where that stays so, who submitted it was ended: cancel it, and submit it again.";
    return { ...common, state: "queued", reason };
  }
  const trouble = (last && !terminated ? waitingTrouble(last) : undefined) ?? creation;
  const isRunning = (isIndexed ? pods : pods.slice(-1)).some(hasBegun);
  return { ...common, state: isRunning ? "running" : "queued", ...(trouble ? { reason: trouble.words } : {}) };
}
