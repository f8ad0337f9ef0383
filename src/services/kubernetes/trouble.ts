import { readWhole } from "../../core/read-whole.ts";
import type { Api } from "../../kubernetes/api.ts";
import { mayPass, refusalOf } from "../../kubernetes/api-error.ts";
import { eventsOf } from "../../kubernetes/events.ts";
import {
  endWords,
  final,
  type Owner,
  oneLine,
  passing,
  reconsidered,
  refusedPod,
  type Trouble,
  waitingTrouble,
} from "../../kubernetes/failure.ts";
import {
  type ContainerStatus,
  conditionOf,
  containerName,
  containerState,
  containerStatuses,
  type Event,
  type Pod,
  type Terminated,
} from "../../kubernetes/objects.ts";
import type { Place } from "./apply.ts";
import { isPodReady, isSeen, type Observed, podsOf } from "./observation.ts";

const maximumWords = 1024 * 1024;

/** Restarts after which nobody waits any more. */
const enoughRestarts = 3;

/** Pods to examine: most have the same trouble. */
const enoughPods = 3;

const ofService: Owner = {
  resources: "instanceType",
  memory: "instanceType",
  again: "apply the service again",
  credential: "Name one of yours in `containerRegistry`, or give one to the nodes.",
  missingImage: "Push it, or name another image.",
};

export async function troubleOf(place: Place, observed: Observed, signal?: AbortSignal): Promise<Trouble | undefined> {
  const { deployment } = observed;
  if (deployment === undefined)
    return final("Its Deployment is not there: someone deleted it. Apply the service again.");
  if (!isSeen(deployment)) return undefined;
  const { current, failed } = podsOf(observed);
  const waiting = current.filter((pod) => !isPodReady(pod));
  const troubles = await Promise.all(waiting.slice(0, enoughPods).map((pod) => podTrouble(place, pod, signal)));
  const found = troubles.find((trouble) => trouble?.isFinal) ?? troubles.find((trouble) => trouble !== undefined);
  return found ?? refusedPod(conditionOf(deployment, "ReplicaFailure")?.message, ofService) ?? endedPod(failed.at(-1));
}

function endedPod(pod: Pod | undefined): Trouble | undefined {
  if (pod === undefined) return undefined;
  const { reason = "Failed", message } = pod.status ?? {};
  return passing(
    `Node ${pod.spec.nodeName} ended pod ${pod.metadata.name} (${reason}): ${oneLine(message) || "it does not say why"}. Another pod follows. Request less (instanceType), or add nodes.`,
  );
}

async function podTrouble(place: Place, pod: Pod, signal: AbortSignal | undefined): Promise<Trouble | undefined> {
  for (const status of containerStatuses(pod)) {
    const trouble = waitingTrouble(pod, ofService, status.name);
    if (trouble?.blamesSecret) return reconsidered(trouble, pod, await ofPod(place, pod, signal));
    if (trouble) return trouble;
    const end = lastEnd(status);
    if (end) return crashTrouble(place, pod, status, end, signal);
  }
  // Without container states it has no node yet.
  return waitingTrouble(pod, ofService) ?? eventTrouble(await ofPod(place, pod, signal), pod);
}

/** How a program's container ended, or how an init container failed. */
function lastEnd({ name, state = {}, lastState }: ContainerStatus): Terminated | undefined {
  const end = state.terminated ?? lastState?.terminated;
  return name !== containerName && state.terminated?.exitCode === 0 ? undefined : end;
}

async function crashTrouble(
  place: Place,
  pod: Pod,
  { name, state, restartCount = 0 }: ContainerStatus,
  end: Terminated,
  signal: AbortSignal | undefined,
): Promise<Trouble> {
  // One that runs now may succeed this time.
  const judge = restartCount >= enoughRestarts && state?.running === undefined ? final : passing;
  const words = endWords(pod, end, ofService, name);
  if (words !== undefined) return judge(words);
  const killing = probeKill(await ofPod(place, pod, signal), name);
  if (killing !== undefined) return judge(killing);
  const isPrevious = state?.terminated === undefined;
  const last = await lastWords(place, pod, name, { previous: isPrevious, lines: 3 }, signal);
  const what = name === containerName ? "Its program" : `Its container ${name}`;
  const times =
    restartCount === 0 ? "" : `, and was started again ${restartCount === 1 ? "once" : `${restartCount} times`}`;
  const said = last === "" ? "It printed nothing." : `Its last words: ${last}`;
  return judge(`${what} ended with status ${end.exitCode}${times}. ${said}`);
}

/** The end of a container's log in one line; `previous` means before its last restart. */
export async function lastWords(
  { api, namespace }: { readonly api: Api; readonly namespace: string },
  { metadata }: Pod,
  container: string,
  { previous, lines }: { readonly previous: boolean; readonly lines: number },
  signal: AbortSignal | undefined,
): Promise<string> {
  const query = { container, previous, tailLines: lines };
  const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/log`;
  try {
    const body = await api.stream(path, { query, ...(signal ? { signal } : {}) });
    const printed = (await readWhole(body, maximumWords, 30_000)).toString();
    return printed
      .split("\n")
      .map((line) => line.replaceAll(/\p{Cc}\[[0-9;]*m|\p{Cc}/gu, " ").trim())
      .filter((line) => line !== "")
      .join(" | ")
      .slice(-500);
  } catch (error) {
    // The node has dropped it or does not answer, or the pod is gone.
    const status = refusalOf(error)?.status;
    if (status === 400 || status === 404 || mayPass(error)) return "";
    throw error;
  }
}

function ofPod(place: Place, { metadata }: Pod, signal: AbortSignal | undefined): Promise<readonly Event[]> {
  return eventsOf(place, `involvedObject.uid=${metadata.uid}`, signal);
}

function probeKill(events: readonly Event[], container: string): string | undefined {
  const killing = events.findLast(({ reason }) => reason === "Killing")?.message ?? "";
  const probe = new RegExp(`Container ${container} failed (startup|liveness) probe`).exec(killing)?.[1];
  if (probe === undefined) return undefined;
  const failure = events.findLast(
    ({ reason, message = "" }) => reason === "Unhealthy" && message.toLowerCase().startsWith(probe),
  );
  return `Kubernetes ended its program, because it failed its ${probe} check: ${probeWords(failure)}. ${advice(probe)}`;
}

/** Why a pod on a node is not ready, by its events. Some warnings do not prevent readiness. */
function eventTrouble(events: readonly Event[], pod: Pod): Trouble | undefined {
  const { name } = pod.metadata;
  const isRunning = containerState(pod).running !== undefined;
  // Nodes continue without a pull secret. If they need one, the registry refuses them.
  const isFailure = /^Failed(?!ToRetrieveImagePullSecret)/;
  const last = events.findLast(({ reason = "" }) => (isRunning ? reason === "Unhealthy" : isFailure.test(reason)));
  if (last === undefined) return undefined;
  if (isRunning) {
    const probe = /^Startup/.test(last.message ?? "") ? "startup" : "readiness";
    return passing(`Pod ${name} runs and fails its ${probe} check: ${probeWords(last)}. ${advice(probe)}`);
  }
  return passing(
    `Pod ${name} does not start (${last.reason}): ${oneLine(last.message)}. Correct the field that this names, or ask the administrator of the cluster.`,
  );
}

function probeWords(event: Event | undefined): string {
  return oneLine(event?.message).replace(/^\w+ probe (failed|errored)[^:]*: /, "") || "it does not answer";
}

function advice(probe: string): string {
  return `Check \`healthChecks.${probe}\`, and that the program listens on all addresses, not only on 127.0.0.1.`;
}
