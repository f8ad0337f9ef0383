import {
  type Condition,
  conditionOf,
  containerStatuses,
  type Metadata,
  type Pod,
  type PodSpec,
} from "../../kubernetes/objects.ts";

export interface Deployment {
  readonly metadata: Metadata;
  readonly spec: { readonly replicas?: number; readonly template: { readonly spec: PodSpec } };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

/** All pods of one state of a Deployment. */
export interface ReplicaSet {
  readonly metadata: Metadata;
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly observedGeneration?: number; readonly replicas?: number };
}

/** The objects of a service in a cluster. */
export interface Observed {
  /** Undefined: it does not exist. */
  readonly deployment: Deployment | undefined;
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
}

/** A number that its controller gives to each state of a Deployment. */
export const revisionAnnotation = "deployment.kubernetes.io/revision";
/** The label by which a set knows its pods among those of the Deployment. */
export const hashLabel = "pod-template-hash";

export function wantedReplicas({ spec }: Deployment): number {
  return spec.replicas ?? 1;
}

/**
 * Whether a Deployment has become what it should be: all that is wanted is there and ready, and nothing of before. The Deployment's own
 * count misses pods that a set of before is just making, so its sets are asked too.
 */
export function isReady({ deployment, replicaSets }: Observed): boolean {
  if (deployment === undefined) return false;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = deployment.status ?? {};
  const wanted = wantedReplicas(deployment);
  const sets = replicaSets.filter((set) => isOwnedBy(set, deployment));
  const inSets = sets.map(({ spec, status }) => Math.max(spec?.replicas ?? 0, status?.replicas ?? 0));
  return (
    [deployment, ...sets].every(isSeen) &&
    [replicas, updatedReplicas, availableReplicas].every((count) => count === wanted) &&
    inSets.reduce((sum, count) => sum + count, 0) <= wanted
  );
}

/** Whether its controller has seen the state that is asked for. */
export function isSeen({ metadata, status }: Deployment | ReplicaSet): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function isOwnedBy({ metadata }: ReplicaSet, deployment: Deployment | undefined): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === deployment?.metadata.uid) ?? false;
}

/** Pods of the state that is asked for, without those that are ending; those of it that failed; and those of before. */
export function podsOf({
  deployment,
  replicaSets,
  pods,
}: Observed): Readonly<Record<"current" | "failed" | "old", Pod[]>> {
  const number = deployment?.metadata.annotations?.[revisionAnnotation];
  const newest = replicaSets.find(
    (set) =>
      number !== undefined && set.metadata.annotations?.[revisionAnnotation] === number && isOwnedBy(set, deployment),
  );
  const hash = newest?.metadata.labels?.[hashLabel];
  const isCurrent = ({ metadata }: Pod) => hash !== undefined && metadata.labels?.[hashLabel] === hash;
  const there = pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded",
  );
  return {
    current: there.filter(isCurrent),
    failed: pods.filter((pod) => isCurrent(pod) && pod.status?.phase === "Failed"),
    old: there.filter((pod) => !isCurrent(pod)),
  };
}

/** Whether a pod is asked for what the service does. */
export function isPodReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready") !== undefined;
}

/** Whether a container of a pod has run: it then has a log. */
export function hasBegun(pod: Pod, name: string): boolean {
  const status = containerStatuses(pod).find((each) => each.name === name);
  const { running, terminated } = status?.state ?? {};
  return running !== undefined || terminated !== undefined || status?.lastState?.terminated !== undefined;
}
