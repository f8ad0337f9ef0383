import { setTimeout as delay } from "node:timers/promises";
import { Failure, UserError } from "../core/errors.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { deleteJob } from "../jobs/kubernetes/submit.ts";
import { mayPass, refusalOf } from "../kubernetes/api-error.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { deleteIfFound } from "../kubernetes/if-found.ts";
import type { Job, Pod } from "../kubernetes/objects.ts";
import { watchAll } from "../kubernetes/watch.ts";
import type { PodWorker } from "./pod-worker.ts";
import { deadline, keptFor } from "./worker-job.ts";

/** Milliseconds for pods to end. After that, their node does not answer. */
const endTime = 120_000;
/** Milliseconds between attempts to delete something. */
const interval = 1000;

/** A Job, and its workers by index. */
export interface JobOfWorkers {
  readonly name: string;
  readonly workers: readonly PodWorker[];
  /** Whether it was created. */
  readonly created: Promise<boolean>;
  object?: Job;
  /** The cluster has listed it. */
  isSeen?: boolean;
  /** It has ended. */
  isClosed?: boolean;
  removal?: Promise<boolean>;
}

/** Deletes a Job with all that it owns. One that cannot be deleted is no error: a notice names it. @returns success */
export async function removeJob(
  cluster: Cluster,
  { name, created }: JobOfWorkers,
  isCutShort: boolean,
  tell: (text: string) => void,
): Promise<boolean> {
  if (!(await created)) return false;
  const { context, namespace } = cluster;
  const endNotice = heartbeat(`Waiting for job ${name} to be deleted`, { after: patience, write: tell });
  const why = await persist(() => deleteJob(cluster, name, isCutShort ? "Foreground" : "Background"));
  endNotice();
  if (why === undefined) return true;
  const problem = `Job ${name} is left in namespace ${namespace} of cluster ${context}: ${problemOf(why)}`;
  const stops = `It stops ${deadline / 3600} hours after its start and is removed ${keptFor} seconds later`;
  tell(`${problem} Its workers end when nobody connects to them for a minute. ${stops}. Delete it to stop it sooner.`);
  return false;
}

/** Deletes the pod of one of a Job's workers. @returns success */
export async function removePod(
  cluster: Cluster,
  pod: Pod | undefined,
  tell: (text: string) => void,
): Promise<boolean> {
  if (pod === undefined) return false;
  const { name } = pod.metadata;
  const why = await persist(() =>
    deleteIfFound(cluster.api, `/api/v1/namespaces/${cluster.namespace}/pods/${name}`, {}),
  );
  if (why === undefined) return true;
  const remedy = refusalOf(why)?.status === 403 ? " Ask for the role of functions in docs/kubernetes.md." : "";
  tell(`Pod ${name} goes on with its call until that ends: ${problemOf(why)}${remedy}`);
  return false;
}

/** Waits until no pod of a group is left, but no longer than a node that answers takes. */
export async function withoutPods({ api, namespace }: Cluster, labelSelector: string): Promise<void> {
  const gone = new AbortController();
  const either = AbortSignal.any([gone.signal, AbortSignal.timeout(endTime)]);
  await watchAll<Pod>(
    api,
    { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector },
    { signal: either },
    (items) => {
      if (items.size === 0) gone.abort();
    },
  );
}

/** Tries again while the cluster does not answer. @returns why it failed */
async function persist(act: () => Promise<void>): Promise<unknown> {
  for (const end = Date.now() + endTime; ; await delay(interval)) {
    try {
      return await act();
    } catch (error) {
      if (!mayPass(error) || Date.now() >= end) return error;
    }
  }
}

function problemOf(error: unknown): string {
  return error instanceof UserError || error instanceof Failure ? error.problem : String(error);
}
