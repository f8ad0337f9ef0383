import type { ErrorIdentity } from "../core/errors.ts";
import { parseReference } from "../oci/reference.ts";
import {
  type Container,
  conditionOf,
  containerName,
  containerState,
  type Event,
  type Job,
  jobFinalizer,
  type Pod,
  type Terminated,
} from "./objects.ts";

export interface Trouble {
  /** Two sentences: what is wrong, what to do. */
  readonly words: string;
  readonly isFinal: boolean;
  /** Default: the job's or service's. */
  readonly identity?: ErrorIdentity;
  /** Whether a registry refused the credential in the pull secret. */
  readonly blamesSecret?: boolean;
}

/** Texts that differ between jobs and services. */
export interface Owner {
  /** The fields with its resources. */
  readonly resources: string;
  readonly memory: string;
  /** Runs it again. */
  readonly again: string;
  /** Gives nodes a credential. */
  readonly credential: string;
  readonly missingImage: string;
}

const ofJob: Owner = {
  resources: "resources",
  memory: "resources: memory",
  again: "submit the job again",
  credential:
    "Submit it again with --copy-credentials (SLIPWAY_COPY_CREDENTIALS=1), which puts yours into a Secret of the job, or have the nodes given one.",
  missingImage: "Push it, or resolve the job again.",
};

export function waitingTrouble(pod: Pod, owner: Owner = ofJob, name: string = containerName): Trouble | undefined {
  const { reason = "", message = "" } = containerState(pod, name).waiting ?? {};
  const image = imageOf(pod, name);
  const words = message.trim().replaceAll(/\s+/g, " ");
  switch (reason) {
    case "ErrImagePull":
    case "ImagePullBackOff":
    case "RegistryUnavailable":
      return pullTrouble(pod, image, words, owner);
    case "InvalidImageName": {
      const refused = `The nodes refuse the image name ${image}. Write HOST/REPOSITORY@sha256:…`;
      return final(refused, "reference-invalid", image);
    }
    case "ErrImageNeverPull": {
      const absent = `Image ${image} is not on the node, and the pod may not pull it. Copy it to the node.`;
      return final(absent, "image-pull-failed", image);
    }
    case "CreateContainerConfigError":
      return configTrouble(image, words);
    case "CreateContainerError":
    case "RunContainerError":
      return final(`The container of image ${image} cannot be made: ${words}. Check its command.`);
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False") return undefined;
  return nodeTrouble(pod, oneLine(scheduled.message ?? scheduled.reason), owner);
}

function nodeTrouble({ spec }: Pod, message: string, owner: Owner): Trouble {
  if (/persistentvolumeclaim/i.test(message)) {
    const claims = spec.volumes?.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []) ?? [];
    const named = claims.length === 1 ? `claim ${claims[0]}` : `its claims (${claims.join(", ")})`;
    const remedy = `make or bind ${named}, or name another one in \`volumes\``;
    return passing(`No node takes it: ${message}. It waits; ${remedy}.`);
  }
  const labels = Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  const node = labels.length === 0 ? "No node" : `No node with ${labels.join(", ")}`;
  return passing(`${node} takes it: ${message}. It waits for one; ${nodeRemedy(message, owner)}, or add nodes.`);
}

function nodeRemedy(message: string, { resources }: Owner): string {
  if (/Insufficient/.test(message)) return `request less (${resources})`;
  // Kubernetes itself taints unhealthy nodes.
  if (/untolerated taint \{(?!node\.kubernetes\.io\/)/.test(message))
    return "let its instance type tolerate the taint (tolerations)";
  if (/node affinity\/selector/.test(message)) return "correct the labels of its instance type (nodeSelector)";
  return `request less (${resources})`;
}

function configTrouble(image: string, words: string): Trouble {
  const user = /non-numeric user \(([^)]*)\)/.exec(words)?.[1];
  if (/will run as root/.test(words)) {
    const root = `Image ${image} runs as root, which Slipway's pods may not.`;
    return final(`${root} Set a numeric user in the image, such as \`USER 1000:1000\`.`, "image-unsuitable", image);
  }
  if (user !== undefined) {
    const named = `Image ${image} names its user ${user} without a number, so Kubernetes cannot tell whether it is root.`;
    return final(`${named} Set a numeric user, such as \`USER 1000:1000\`.`, "image-unsuitable", image);
  }
  if (/timed out waiting for the condition/.test(words)) {
    return passing(`A busy node could not prepare the container of image ${image} in time: ${words}. It tries again.`);
  }
  return final(`The container of image ${image} cannot be configured: ${words}. Correct what this names.`);
}

function pullTrouble(pod: Pod, image: string, words: string, owner: Owner): Trouble {
  const { registry } = parseReference(image);
  const said = words
    .replace(/^Back-off pulling image "[^"]*"(: )?/, "")
    .replace(/^ErrImagePull: /, "")
    .replace(/^failed to pull and unpack image "[^"]*": (failed to resolve reference( "[^"]*")?: )?/, "");
  if (/\b401\b|\b403\b|unauthorized|authorization failed|authentication required|denied|no basic auth/i.test(said)) {
    const hasSecret = (pod.spec.imagePullSecrets ?? []).length > 0;
    if (hasSecret && age(pod) < firstPullTime) return withoutSecret(image, registry, said);
    const why = hasSecret
      ? `Registry ${registry} refused the credential that was copied into the cluster for ${image}: ${said}. Check that it may pull there, and ${owner.again}: it may have expired.`
      : `Registry ${registry} wants a credential for ${image}, and the nodes have none: ${said}. ${owner.credential}`;
    return { ...final(why, "image-pull-failed", image), blamesSecret: hasSecret };
  }
  if (/no match for platform/i.test(said)) {
    const other = `Image ${image} is not for the platform of node ${pod.spec.nodeName}: ${said}.`;
    return final(`${other} Build it for that platform.`, "image-unsuitable", image);
  }
  if (/\b404\b|not found|manifest unknown|name unknown/i.test(said)) {
    const absent = `Registry ${registry} has no image ${image}: ${said}. ${owner.missingImage}`;
    return final(absent, "image-pull-failed", image);
  }
  if (said === "") return passing(`The nodes fail to pull ${image} from ${registry}. They try again.`);
  const problem = `The nodes cannot reach registry ${registry} for ${image}: ${said}.`;
  return passing(`${problem} They try again; check the registry, and the network between the nodes and it.`);
}

/** Milliseconds after which a node has pulled once, and has reported a missing pull secret, and has pulled twice. */
const firstPullTime = 8000;
const secondPullTime = 35_000;

function age({ status }: Pod): number {
  return Math.abs(Date.now() - Date.parse(status?.startTime ?? ""));
}

function withoutSecret(image: string, registry: string, said: string): Trouble {
  return passing(`Registry ${registry} gave ${image} to no node yet: ${said}. They try again, with the credential.`);
}

/** Excuses a node that does not see the pull secret yet: it pulls without it, and again 10 to 30 seconds later. */
export function reconsidered(trouble: Trouble, pod: Pod, events: readonly Event[]): Trouble {
  const hadNone = events.some(({ reason }) => reason === "FailedToRetrieveImagePullSecret");
  if (!trouble.blamesSecret || !hadNone || age(pod) > secondPullTime) return trouble;
  const image = imageOf(pod, containerName);
  return withoutSecret(image, parseReference(image).registry, "its node had not seen the pull secret");
}

export function podFailure(pod: Pod): string | undefined {
  const { terminated } = containerState(pod);
  const { reason, message } = pod.status ?? {};
  if (reason === "DeadlineExceeded") {
    return `It took longer than its time limit of ${pod.spec.activeDeadlineSeconds} s. Give it more time (time_limit), or less to do.`;
  }
  if (reason === "Evicted")
    return `Its node evicted it: ${oneLine(message)}. Request the resources that it needs (resources), and set retries.`;
  const disruption = conditionOf(pod, "DisruptionTarget");
  if (disruption) return disruptionWords(pod, disruption.reason ?? "", oneLine(disruption.message));
  const end = terminated && endWords(pod, terminated);
  if (end !== undefined) return end;
  if (lossReasons.test(reason ?? terminated?.reason ?? "")) {
    return `Its node ${pod.spec.nodeName ?? ""} was lost or shut down while it ran. ${again}`;
  }
  if (terminated === undefined && reason) return `Its pod failed (${reason}): ${oneLine(message)}. ${again}`;
  if (wasDeleted(pod)) return deleted;
  if (terminated?.exitCode === 137) return "It was killed, most often because it ran out of memory.";
  return undefined;
}

/** Why a container was ended, or not started. Undefined: its program's exit status tells. */
export function endWords(
  pod: Pod,
  { reason, message }: Terminated,
  owner: Owner = ofJob,
  name: string = containerName,
): string | undefined {
  if (reason === "OOMKilled") {
    const memory = containerOf(pod, name)?.resources?.limits?.["memory"];
    return memory === undefined
      ? `Its node ran out of memory and killed it. Request the memory that it needs (${owner.memory}).`
      : `It was killed because it used more than ${memory} bytes of memory. Give it more (${owner.memory}), or less to do.`;
  }
  if (reason === "StartError" || reason === "ContainerCannotRun") {
    return `Its program cannot be started: ${oneLine(message)}. Check its command and the image's entrypoint.`;
  }
  return undefined;
}

const again = "Submit it again, or give it retries.";
const deleted = `Its pod was deleted while it ran: its node was drained, or someone did it. ${again}`;

/** Reasons of lost pods, and of containers that a restarted node no longer knows: the kubelet's, and containerd's. */
const lossReasons = /^(NodeLost|NodeShutdown|ContainerStatusUnknown|Unknown)$/;

/** Whether a pod ended because it was deleted or its node was lost. */
export function wasLost(pod: Pod): boolean {
  const reason = pod.status?.reason ?? containerState(pod).terminated?.reason ?? "";
  return reason === "Evicted" || lossReasons.test(reason) || wasDeleted(pod);
}

function wasDeleted(pod: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata;
  if (deletionTimestamp === undefined) return false;
  const { finishedAt } = containerState(pod).terminated ?? {};
  // The node's own deletion, after the program has ended, replaces the time. If the pod had ended by itself, the
  // job controller would have counted it and removed its finalizer.
  if (deletionGracePeriodSeconds === 0 && finalizers.includes(jobFinalizer)) return true;
  return !finishedAt || Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 <= Date.parse(finishedAt);
}

function disruptionWords(pod: Pod, reason: string, message: string): string {
  const node = pod.spec.nodeName ?? "";
  switch (reason) {
    case "EvictionByEvictionAPI":
      return `It was evicted from node ${node}, as when a node is drained. ${again}`;
    case "PreemptionByScheduler":
      return `It had to give way to a pod of higher priority on node ${node}. ${again}`;
    case "DeletionByTaintManager":
      return `Its node ${node} was lost or closed to it: ${message}. ${again}`;
    case "DeletionByPodGC":
      return `Its node ${node} is gone. ${again}`;
    default:
      return `It was stopped by its node ${node}: ${message || reason}. ${again}`;
  }
}

export function jobFailure(job: Job, last: Pod | undefined): string | undefined {
  if (last) return podFailure(last);
  const { reason, message } = conditionOf(job, "Failed") ?? {};
  if (reason === "DeadlineExceeded") return "It took longer than the job's deadline. Give it more time.";
  if (reason === "BackoffLimitExceeded") return deleted;
  return oneLine(message);
}

/** Why the last pod of a job is gone. @param events of the namespace's pods */
export function goneFailure(job: Job, events: readonly Event[]): string {
  const own = events.filter(({ involvedObject }) => involvedObject.name?.startsWith(`${job.metadata.name}-`));
  const messageOf = (reason: string) => own.findLast((event) => event.reason === reason)?.message;
  if (messageOf("TaintManagerEviction") !== undefined) return `Its node was lost or closed to it. ${again}`;
  const preempted = messageOf("Preempted");
  if (preempted !== undefined) return `It had to give way to a pod of higher priority: ${oneLine(preempted)}. ${again}`;
  return deleted;
}

export function creationTrouble(events: readonly Event[]): Trouble | undefined {
  return refusedPod(events.filter(({ reason }) => reason === "FailedCreate").at(-1)?.message);
}

/** Why a controller cannot create a pod. @param message the API server's refusal */
export function refusedPod(message: string | undefined, { resources }: Owner = ofJob): Trouble | undefined {
  const words = oneLine(message);
  if (words === "") return undefined;
  const quota = /exceeded quota: .*/.exec(words)?.[0];
  if (quota !== undefined) {
    const remedy = `request less (${resources}), end other work, or ask the cluster's administrator for more`;
    return passing(`The namespace's quota has no room for it: ${quota}. It waits; ${remedy}.`);
  }
  // The cluster makes it a moment after the namespace.
  if (words.includes('serviceaccount "default" not found'))
    return passing("Its namespace has no service account yet. It waits for the cluster to make one.");
  const quotaNeeds = /failed quota: .*/.exec(words)?.[0];
  if (quotaNeeds !== undefined) {
    const problem = `The namespace's quota requires resource requests: ${quotaNeeds}. Set them (${resources}).`;
    return final(problem, "cluster-refused", "quota");
  }
  const refused = `The cluster refused its pod: ${words}. Correct what this names, or ask the cluster's administrator.`;
  return final(refused, "cluster-refused", "pod");
}

function containerOf({ spec }: Pod, name: string): Container | undefined {
  return [...(spec.initContainers ?? []), ...spec.containers].find((each) => each.name === name);
}

export function imageOf(pod: Pod, name: string): string {
  return containerOf(pod, name)?.image ?? "";
}

export function final(words: string, code?: ErrorIdentity["code"], culprit = ""): Trouble {
  return { words, isFinal: true, ...(code && { identity: { code, culprit } }) };
}

export function passing(words: string): Trouble {
  return { words, isFinal: false };
}

/** A text of the cluster as part of a sentence. */
export function oneLine(text = ""): string {
  return text.trim().replaceAll(/\s+/g, " ").replace(/\.$/, "");
}
