import type { ErrorIdentity } from "../core/errors.ts";
import { parseReference } from "../oci/reference.ts";
import {
  conditionOf,
  containerName,
  containerState,
  type Event,
  type Job,
  jobFinalizer,
  type Pod,
  type PodSpec,
  type Terminated,
} from "./objects.ts";

/** Why pods do not start, or failed, and what to do. */
export interface Trouble {
  /** One sentence on what is wrong and one on what to do. */
  readonly words: string;
  readonly isFinal: boolean;
  /** Undefined: that of what runs in the pods. */
  readonly identity?: ErrorIdentity;
  /** Whether it is the credential in the pull secret that was not taken, if the node had one. */
  readonly blamesSecret?: boolean;
}

/** The texts that differ between jobs and services. */
export interface Owner {
  /** Where it says what it needs. */
  readonly resources: string;
  readonly memory: string;
  /** What to do once something is mended. */
  readonly again: string;
  /** How nodes get a credential. */
  readonly credential: string;
  /** What to do about an image that is not there. */
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

/**
 * Why a container of a pod does not start; undefined if no reason is known.
 *
 * @param name of the container
 */
export function waitingTrouble(pod: Pod, owner: Owner = ofJob, name: string = containerName): Trouble | undefined {
  const { reason = "", message = "" } = containerState(pod, name).waiting ?? {};
  const image = imageOf(pod, name);
  const words = message.trim().replaceAll(/\s+/g, " ");
  if (/^(ErrImagePull|ImagePullBackOff|RegistryUnavailable)$/.test(reason))
    return pullTrouble(pod, image, words, owner);
  switch (reason) {
    case "InvalidImageName":
      return final(
        `The nodes refuse the image name ${image}. Write HOST/REPOSITORY@sha256:…`,
        "reference-invalid",
        image,
      );
    case "ErrImageNeverPull":
      return final(
        `Image ${image} is not on the node, and the pod may not pull it. Copy it to the node.`,
        "image-pull-failed",
        image,
      );
    case "CreateContainerConfigError":
      return configTrouble(image, words);
    case "CreateContainerError":
    case "RunContainerError":
      return final(`The container of image ${image} cannot be made: ${words}. Check its command.`);
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  return scheduled?.status === "False"
    ? nodeTrouble(pod, oneLine(scheduled.message ?? scheduled.reason), owner)
    : undefined;
}

function nodeTrouble({ spec }: Pod, message: string, owner: Owner): Trouble {
  if (/persistentvolumeclaim/i.test(message)) {
    const claims = spec.volumes?.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []) ?? [];
    const named = claims.length === 1 ? `claim ${claims[0]}` : `its claims (${claims.join(", ")})`;
    return passing(
      `No node takes it: ${message}. It waits; make or bind ${named}, or name another one in \`volumes\`.`,
    );
  }
  const labels = Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  const node = labels.length === 0 ? "No node" : `No node with ${labels.join(", ")}`;
  return passing(`${node} takes it: ${message}. It waits for one; ${nodeRemedy(message, owner)}, or add nodes.`);
}

/** What lets a pod have a node, by the scheduler's words. */
function nodeRemedy(message: string, { resources }: Owner): string {
  if (/Insufficient/.test(message)) return `request less (${resources})`;
  // Kubernetes' own taints are of nodes that are not well.
  if (/untolerated taint \{(?!node\.kubernetes\.io\/)/.test(message))
    return "let its instance type tolerate the taint (tolerations)";
  if (/node affinity\/selector/.test(message)) return "correct the labels of its instance type (nodeSelector)";
  return `request less (${resources})`;
}

function configTrouble(image: string, words: string): Trouble {
  if (/will run as root/.test(words)) {
    return final(
      `Image ${image} runs as root, which Slipway's pods may not. Set a numeric user in the image, such as \`USER 1000:1000\`.`,
      "image-unsuitable",
      image,
    );
  }
  const user = /non-numeric user \(([^)]*)\)/.exec(words)?.[1];
  if (user !== undefined) {
    return final(
      `Image ${image} names its user ${user} without a number, so Kubernetes cannot tell whether it is root. Set a numeric user, such as \`USER 1000:1000\`.`,
      "image-unsuitable",
      image,
    );
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
    // The image is named already.
    .replace(/^failed to pull and unpack image "[^"]*": (failed to resolve reference( "[^"]*")?: )?/, "");
  if (/\b401\b|\b403\b|unauthorized|authorization failed|authentication required|denied|no basic auth/i.test(said)) {
    const hasSecret = (pod.spec.imagePullSecrets ?? []).length > 0;
    if (hasSecret && age(pod) < firstPullTime) return withoutSecret(image, registry, said);
    return {
      ...final(
        hasSecret
          ? `Registry ${registry} refused the credential that was copied into the cluster for ${image}: ${said}. Check that it may pull there, and ${owner.again}: it may have expired.`
          : `Registry ${registry} wants a credential for ${image}, and the nodes have none: ${said}. ${owner.credential}`,
        "image-pull-failed",
        image,
      ),
      blamesSecret: hasSecret,
    };
  }
  if (/no match for platform/i.test(said)) {
    return final(
      `Image ${image} is not for the platform of node ${pod.spec.nodeName}: ${said}. Build it for that platform.`,
      "image-unsuitable",
      image,
    );
  }
  if (/\b404\b|not found|manifest unknown|name unknown/i.test(said)) {
    return final(
      `Registry ${registry} has no image ${image}: ${said}. ${owner.missingImage}`,
      "image-pull-failed",
      image,
    );
  }
  if (said === "") return passing(`The nodes fail to pull ${image} from ${registry}. They try again.`);
  return passing(
    `The nodes cannot reach registry ${registry} for ${image}: ${said}. They try again; check the registry, and the network between the nodes and it.`,
  );
}

/** Milliseconds after which a node has pulled, and said that it had no secret if that was so; and after which it has pulled twice. */
const firstPullTime = 8000;
const secondPullTime = 35_000;

function age({ status }: Pod): number {
  return Math.abs(Date.now() - Date.parse(status?.startTime ?? ""));
}

function withoutSecret(image: string, registry: string, said: string): Trouble {
  return passing(`Registry ${registry} gave ${image} to no node yet: ${said}. They try again, with the credential.`);
}

/**
 * Corrects a trouble that blames a credential: a node that may not see the pull secret yet pulls without it, and again 10 to
 * 30 seconds later.
 *
 * @param events of the pod
 */
export function reconsidered(trouble: Trouble, pod: Pod, events: readonly Event[]): Trouble {
  const hadNone = events.some(({ reason }) => reason === "FailedToRetrieveImagePullSecret");
  if (!trouble.blamesSecret || !hadNone || age(pod) > secondPullTime) return trouble;
  const image = imageOf(pod, containerName);
  return withoutSecret(image, parseReference(image).registry, "its node had not seen the pull secret");
}

/** Why a pod that has ended failed; undefined: its program's own exit status tells. */
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
    return `Its node ${pod.spec.nodeName ?? ""} was lost or shut down while it ran. Submit it again, or give it retries.`;
  }
  if (terminated === undefined && reason)
    return `Its pod failed (${reason}): ${oneLine(message)}. Submit it again, or give it retries.`;
  if (wasDeleted(pod)) return deleted;
  if (terminated?.exitCode === 137) return "It was killed, most often because it ran out of memory.";
  return undefined;
}

/** How a container ended that did not end by itself; undefined: its program's own exit status tells. */
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

const deleted =
  "Its pod was deleted while it ran: its node was drained, or someone did it. Submit it again, or give it retries.";

/** Reasons of pods, and of containers that a node no longer knows of after its restart: the kubelet's own, and containerd's. */
const lossReasons = /^(NodeLost|NodeShutdown|ContainerStatusUnknown|Unknown)$/;

/** Whether a pod ended because it was deleted or its node was lost, whatever its program did. */
export function wasLost(pod: Pod): boolean {
  const reason = pod.status?.reason ?? containerState(pod).terminated?.reason ?? "";
  return reason === "Evicted" || lossReasons.test(reason) || wasDeleted(pod);
}

function wasDeleted(pod: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata;
  if (deletionTimestamp === undefined) return false;
  const { finishedAt } = containerState(pod).terminated ?? {};
  // Its node deletes it for good once the program has ended, and leaves no other time than that. One that had ended by itself before would
  // have been counted by the job controller, which then lets go of it.
  if (deletionGracePeriodSeconds === 0 && finalizers.includes(jobFinalizer)) return true;
  return !finishedAt || Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000 <= Date.parse(finishedAt);
}

function disruptionWords(pod: Pod, reason: string, message: string): string {
  const node = pod.spec.nodeName ?? "";
  const again = "Submit it again, or give it retries.";
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

/** Why a job that failed did so, by its last attempt where that is still known. */
export function jobFailure(job: Job, last: Pod | undefined): string | undefined {
  if (last) return podFailure(last);
  const { reason, message } = conditionOf(job, "Failed") ?? {};
  if (reason === "DeadlineExceeded") return "It took longer than the job's deadline. Give it more time.";
  if (reason === "BackoffLimitExceeded") return deleted;
  return oneLine(message);
}

/** Why the last pod of a job is gone, which nobody saw go, by what was said of the namespace's pods. */
export function goneFailure(job: Job, events: readonly Event[]): string {
  const prefix = `${job.metadata.name}-`;
  const ofJob = events.filter(({ involvedObject }) => involvedObject?.name?.startsWith(prefix));
  const messageOf = (reason: string) => ofJob.findLast((event) => event.reason === reason)?.message;
  const again = "Submit it again, or give it retries.";
  if (messageOf("TaintManagerEviction") !== undefined) return `Its node was lost or closed to it. ${again}`;
  const preempted = messageOf("Preempted");
  if (preempted !== undefined) return `It had to give way to a pod of higher priority: ${oneLine(preempted)}. ${again}`;
  return deleted;
}

/** Why a job gets no pod, by what the job controller says of it. */
export function creationTrouble(events: readonly Event[]): Trouble | undefined {
  return refusedPod(events.filter(({ reason }) => reason === "FailedCreate").at(-1)?.message);
}

/** Why there is no pod, by what the API server answered to the controller that was to make it. */
export function refusedPod(message: string | undefined, owner: Owner = ofJob): Trouble | undefined {
  const words = oneLine(message);
  if (words === "") return undefined;
  const quota = /exceeded quota: .*/.exec(words)?.[0];
  if (quota !== undefined) {
    return passing(
      `The namespace's quota has no room for it: ${quota}. It waits; request less (${owner.resources}), end other work, or ask the cluster's administrator for more.`,
    );
  }
  const quotaNeeds = /failed quota: .*/.exec(words)?.[0];
  if (quotaNeeds !== undefined) {
    return final(
      `The namespace's quota requires resource requests: ${quotaNeeds}. Set them (${owner.resources}).`,
      "cluster-refused",
      "quota",
    );
  }
  return final(
    `The cluster refused its pod: ${words}. Correct what this names, or ask the cluster's administrator.`,
    "cluster-refused",
    "pod",
  );
}

function containerOf({ spec }: Pod, name: string): PodSpec["containers"][number] | undefined {
  return [...(spec.initContainers ?? []), ...spec.containers].find((each) => each.name === name);
}

/** The image of a container. */
export function imageOf(pod: Pod, name: string): string {
  return containerOf(pod, name)?.image ?? "";
}

export function final(words: string, code?: ErrorIdentity["code"], culprit = ""): Trouble {
  return { words, isFinal: true, ...(code && { identity: { code, culprit } }) };
}

export function passing(words: string): Trouble {
  return { words, isFinal: false };
}

/** The words of a cluster, to be said in a sentence. */
export function oneLine(text = ""): string {
  return text.trim().replaceAll(/\s+/g, " ").replace(/\.$/, "");
}
