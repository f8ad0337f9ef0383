import { setTimeout as delay } from "node:timers/promises";
import { heartbeat, patience, type Wait } from "../../core/heartbeat.ts";
import { scopedSignal } from "../../core/scoped-signal.ts";
import { nodeWait, podWait } from "../../jobs/kubernetes/waiting.ts";
import { mayPass } from "../../kubernetes/api-error.ts";
import { eventsOf } from "../../kubernetes/events.ts";
import type { Trouble } from "../../kubernetes/failure.ts";
import { containerName, type Pod } from "../../kubernetes/objects.ts";
import type { Place } from "./apply.ts";
import { isPodReady, isReady, isSeen, Observation, type Observed, podsOf, wantedReplicas } from "./observation.ts";
import { lastWords, troubleOf } from "./trouble.ts";

/** Milliseconds between examinations, and until a trouble is worth a notice. */
const interval = 2000;
const grace = 5000;

export interface WaitOptions {
  readonly timeLimit: number;
  readonly notice: (text: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Ends early if they cannot become ready. Returns the reason for each that is not. */
export async function waitUntilReady(
  place: Place,
  names: readonly string[],
  options: WaitOptions,
): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  // If one wait fails, the others end.
  using scope = scopedSignal(options.signal);
  const { signal } = scope;
  using observation = new Observation(place, names, signal, options.notice);
  await observation.ready(signal);
  const reasons = await Promise.all(names.map((name) => waitForOne(place, observation, name, { ...options, signal })));
  return new Map(names.flatMap((name, index) => (reasons[index] === undefined ? [] : [[name, reasons[index]]])));
}

async function waitForOne(
  place: Place,
  observation: Observation,
  name: string,
  { timeLimit, notice, signal }: WaitOptions,
): Promise<string | undefined> {
  const end = Date.now() + timeLimit * 1000;
  let trouble: Trouble | undefined;
  let troubleSince: number | undefined;
  let told = "";
  let wait: Wait | undefined;
  const begun = Date.now();
  using _notice = heartbeat(
    () => (wait === undefined || observation.isQuiet ? undefined : { ...wait, words: `${name}: ${wait.words}` }),
    { after: patience, write: notice },
  );
  for (let askedAt = Number.NEGATIVE_INFINITY; ; ) {
    const observed = observation.of(name);
    if (isReady(observed)) return undefined;
    const now = Date.now();
    if (now - askedAt >= interval || now >= end) {
      askedAt = now;
      [trouble, wait] = await Promise.all([
        troubleOf(place, observed, signal).catch(ifPassing),
        waitOf(place, observed, begun, signal).catch(ifPassing),
      ]);
      if (trouble?.isFinal) return trouble.words;
      troubleSince = trouble && (troubleSince ?? now);
      // Every service has such troubles for a moment when it starts.
      if (trouble && troubleSince !== undefined && now - troubleSince >= grace && trouble.words !== told) {
        told = trouble.words;
        notice(`${name}: ${told}`);
      }
      if (now >= end) return `It is not ready after ${timeLimit} s. ${trouble?.words ?? ""}`.trim();
    }
    const pause = new AbortController();
    const timer = delay(Math.max(0, Math.min(askedAt + interval, end) - Date.now()), undefined, {
      signal: pause.signal,
    }).catch(() => {});
    await Promise.race([observation.change(signal), timer]).finally(() => pause.abort());
  }
}

/** @throws errors that do not pass by themselves */
function ifPassing(error: unknown): undefined {
  if (!mayPass(error)) throw error;
}

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
