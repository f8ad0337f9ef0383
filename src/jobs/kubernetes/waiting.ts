import { heartbeat, patience, type Wait } from "../../core/heartbeat.ts";
import type { Cluster } from "../../kubernetes/cluster.ts";
import { eventsOf, timeOf } from "../../kubernetes/events.ts";
import { imageOf, oneLine, waitingTrouble } from "../../kubernetes/failure.ts";
import {
  containerName,
  containerState,
  containerStatuses,
  type Event,
  hasBegun,
  indexAnnotation,
  type Job,
  type Pod,
} from "../../kubernetes/objects.ts";
import { hasEnded } from "../engine.ts";
import { type Observed, statusOf } from "./status.ts";

/** Milliseconds after which the cluster's events are first read: before the first line. */
const early = 2000;

/** Why a job waits. Undefined while its program runs. */
export function waitOf({ job, pods }: Observed, events: readonly Event[]): Wait | undefined {
  if (hasEnded(statusOf("", { job, pods }))) return undefined;
  const running = pods.filter((pod) => containerState(pod).running !== undefined);
  if (running.length > 0)
    return running.every((pod) => lostSince(pod) !== undefined) ? nodeWait(running[0]) : undefined;
  const open = pods.filter((pod) => !hasBegun(pod) && pod.status?.phase !== "Failed");
  const [next] = open;
  if (next) return podWait(next, events, open.length);
  if (job.metadata.deletionTimestamp !== undefined)
    return { words: "Waiting for the pods of the job to end", since: Date.now() };
  const last = pods.at(-1);
  // A refusal before the last pod is over. Each attempt has its own event.
  const begun = Date.parse(last?.metadata.creationTimestamp ?? "1970-01-01");
  const refusals = events.filter((event) => event.reason === "FailedCreate" && timeOf(event) >= begun);
  const [first] = refusals;
  if (first)
    return { words: refusalWords(refusals.at(-1) ?? first), since: Date.parse(first.metadata.creationTimestamp) };
  if (last) return attemptWait(job, pods, last);
  const what = job.spec.suspend ? "for the job's Secrets to be made" : "for the cluster to make a pod";
  return { words: `Waiting ${what}`, since: Date.parse(job.status?.startTime ?? job.metadata.creationTimestamp) };
}

/** Why a pod waits before its program starts. `count` pods wait. */
export function podWait(pod: Pod, events: readonly Event[], count = 1): Wait {
  const { name, creationTimestamp, deletionTimestamp } = pod.metadata;
  const created = Date.parse(creationTimestamp);
  const what = count > 1 ? `${count} pods, such as ${name}` : `pod ${name}`;
  if (deletionTimestamp !== undefined) return { words: `Waiting for pod ${name} to end`, since: created };
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (pod.spec.nodeName === undefined) {
    const why = oneLine(scheduled?.message);
    return { words: `Waiting for a node for ${what}${why && `: ${why}`}`, since: created };
  }
  const taken = Date.parse(scheduled?.lastTransitionTime ?? pod.status?.startTime ?? creationTimestamp);
  const wait = (how: string, since = taken) => ({ words: `Waiting for ${what}: ${how}`, since });
  const { name: container = containerName } = containerStatuses(pod).find(({ state }) => state?.waiting) ?? {};
  if (waitingTrouble(pod, undefined, container)) {
    return wait(`node ${pod.spec.nodeName} fails to start ${imageOf(pod, container)} and tries again`);
  }
  const last = events.findLast(({ reason = "" }) => /^(Pulling|Pulled|Scheduled|Created|Failed.*)$/.test(reason));
  if (last?.reason === "Pulling")
    return wait(`pulling ${/"([^"]+)"/.exec(last.message ?? "")?.[1] ?? imageOf(pod, container)}`, timeOf(last));
  return wait(last?.reason?.startsWith("Failed") ? oneLine(last.message) : `node ${pod.spec.nodeName} prepares it`);
}

export function nodeWait(pod: Pod | undefined): Wait | undefined {
  const since = pod && lostSince(pod);
  if (since === undefined) return undefined;
  return { words: `Waiting for node ${pod?.spec.nodeName} of pod ${pod?.metadata.name}: it does not answer`, since };
}

/** Since when a node does not answer: it last said that the program is ready, and the cluster says that it is not. */
function lostSince(pod: Pod): number | undefined {
  const isReady = pod.status?.containerStatuses?.every(({ ready = false }) => ready) ?? false;
  const condition = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return isReady && condition?.status === "False"
    ? Date.parse(condition.lastTransitionTime ?? "") || Date.now()
    : undefined;
}

function attemptWait({ spec }: Job, pods: readonly Pod[], last: Pod): Wait {
  const { terminated } = containerState(last);
  const since = Date.parse(terminated?.finishedAt ?? "") || Date.parse(last.metadata.creationTimestamp);
  const isAlone = spec.completionMode !== "Indexed";
  const hasNext = pods.length <= (spec.backoffLimit ?? 0);
  if (isAlone && (terminated?.exitCode === 0 || !hasNext)) {
    return { words: `Waiting for the cluster to count the end of pod ${last.metadata.name}`, since };
  }
  if (isAlone) {
    const status = terminated ? ` with status ${terminated.exitCode}` : "";
    const attempt = `Attempt ${pods.length} of ${(spec.backoffLimit ?? 0) + 1} failed${status}`;
    return { words: `${attempt}; waiting for the next one`, since };
  }
  const ended = new Set(pods.map(({ metadata }) => metadata.annotations?.[indexAnnotation])).size;
  const what = ended < (spec.completions ?? 0) ? "make pods for the other items" : "count the items that have ended";
  return { words: `Waiting for the cluster to ${what}`, since };
}

function refusalWords({ message }: Event): string {
  const words = oneLine(message);
  const quota = /exceeded quota: .*/.exec(words)?.[0];
  return quota === undefined ? `Waiting for a pod: ${words}` : `Waiting for room in the namespace's quota: ${quota}`;
}

interface WaitOptions {
  readonly notice: (text: string) => void;
  /** Undefined: the cluster has not answered yet. */
  readonly look: () => Observed | undefined;
  /** Whether the cluster does not answer. Another notice says so. */
  readonly isQuiet: () => boolean;
  readonly interval?: number;
  /** Gets the events of the job, or of the pod that it waits for. */
  readonly onEvents?: (events: readonly Event[]) => void;
}

export function tellWaits(
  cluster: Cluster,
  { notice, look, isQuiet, interval, onEvents = () => {} }: WaitOptions,
): () => void {
  const over = new AbortController();
  const since = Date.now();
  let events: readonly Event[] = [];
  // The object that the events belong to.
  let asked = "";
  const ask = () => {
    const uid = subjectOf(look());
    if (uid === undefined) return;
    eventsOf(cluster, `involvedObject.uid=${uid}`, over.signal).then(
      (found) => {
        events = found;
        asked = uid;
        onEvents(found);
      },
      // The watch of the job reports a cluster that does not answer.
      () => {},
    );
  };
  const timer = setTimeout(ask, early).unref();
  const end = heartbeat(
    () => {
      ask();
      if (isQuiet()) return undefined;
      const observed = look();
      if (observed === undefined) return { words: `Waiting for cluster ${cluster.context}`, since };
      return waitOf(observed, subjectOf(observed) === asked ? events : []);
    },
    { after: patience, write: notice, ...(interval === undefined ? {} : { interval }) },
  );
  return () => {
    clearTimeout(timer);
    end();
    over.abort();
  };
}

/** The object whose events matter: a pod that has not begun, else the job. Undefined if nothing is waited for. */
function subjectOf(observed: Observed | undefined): string | undefined {
  if (observed === undefined || waitOf(observed, []) === undefined) return undefined;
  const { job, pods } = observed;
  return (pods.find((pod) => !hasBegun(pod) && pod.status?.phase !== "Failed") ?? job).metadata.uid;
}
