import type { Wait } from "../../core/heartbeat.ts";
import { nodeWait, podWait } from "../../jobs/kubernetes/waiting.ts";
import { eventsOf } from "../../kubernetes/events.ts";
import { containerName, type Pod } from "../../kubernetes/objects.ts";
import type { Place } from "./apply.ts";
import { lastWords } from "./trouble.ts";
import { isPodReady, isSeen, type Observed, podsOf, wantedReplicas } from "./workload.ts";

/** Undefined: it has no Deployment. */
export async function waitOf(
  place: Place,
  observed: Observed,
  since: number,
  signal?: AbortSignal,
): Promise<Wait | undefined> {
  const { deployment } = observed;
  if (deployment === undefined) return undefined;
  const wanted = wantedReplicas(deployment);
  const { current, old } = podsOf(observed);
  const waiting = current.filter((pod) => !isPodReady(pod));
  const [pod] = waiting;
  if (isSeen(deployment) && pod) {
    const wait = await waitOfPod(place, pod, waiting.length, signal);
    return { ...wait, words: `${current.length - waiting.length} of ${wanted} pods are ready. ${wait.words}` };
  }
  if (!isSeen(deployment) || current.length < wanted) return { words: "Waiting for the cluster to make pods", since };
  const count = old.length === 1 ? "a pod" : `${old.length} pods`;
  return {
    words: old.length === 0 ? "Waiting for the cluster to count its pods" : `Waiting for ${count} of before to end`,
    since,
  };
}

async function waitOfPod(place: Place, pod: Pod, count: number, signal: AbortSignal | undefined): Promise<Wait> {
  const { name, creationTimestamp, uid } = pod.metadata;
  const lost = nodeWait(pod);
  if (lost) return lost;
  const since = Date.parse(pod.status?.startTime ?? creationTimestamp);
  const preparing = pod.status?.initContainerStatuses?.find(({ state }) => state?.running)?.name;
  if (preparing !== undefined) {
    // Such as the progress of a model.
    const line = await lastWords(place, pod, preparing, { previous: false, lines: 1 }, signal);
    // The wait counts its own seconds.
    const said = line.replace(/ \(\d+ s\)$/, "");
    return { words: `Waiting for pod ${name}: container ${preparing} runs${said && `: ${said}`}`, since };
  }
  const { state = {}, lastState } = pod.status?.containerStatuses?.find((each) => each.name === containerName) ?? {};
  if (state.running) return { words: `Waiting for pod ${name}: its program runs and is not ready`, since };
  const ended = state.terminated ?? lastState?.terminated;
  if (ended) {
    const words = `Waiting for pod ${name}: its program ended with status ${ended.exitCode}, and is started again`;
    return { words, since: Date.parse(ended.finishedAt ?? "") || since };
  }
  return podWait(pod, await eventsOf(place, `involvedObject.uid=${uid}`, signal), count);
}
