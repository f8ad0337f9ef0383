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

export interface ReplicaSet {
  readonly metadata: Metadata;
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly observedGeneration?: number; readonly replicas?: number };
}

export interface Observed {
  readonly deployment: Deployment | undefined;
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
}

/** A number that Kubernetes gives to each revision of a Deployment. */
export const revisionAnnotation = "deployment.kubernetes.io/revision";
/** Marks the pods of a ReplicaSet. */
export const hashLabel = "pod-template-hash";

export function wantedReplicas({ spec }: Deployment): number {
  return spec.replicas ?? 1;
}

/**
 * Whether all wanted pods are ready and all earlier ones are gone. The Deployment's own count misses pods
 * that an earlier ReplicaSet is just creating, so its sets count too.
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

/** Whether the controller has seen the wanted state. */
export function isSeen({ metadata, status }: Deployment | ReplicaSet): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function isOwnedBy({ metadata }: ReplicaSet, deployment: Deployment | undefined): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === deployment?.metadata.uid) ?? false;
}

/**
 * The pods of the wanted revision without those that are ending, its failed ones, and those of earlier
 * revisions.
 */
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

export function isPodReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready") !== undefined;
}

/** Whether a container of a pod has run, and so has a log. */
export function hasBegun(pod: Pod, name: string): boolean {
  const status = containerStatuses(pod).find((each) => each.name === name);
  const { running, terminated } = status?.state ?? {};
  return running !== undefined || terminated !== undefined || status?.lastState?.terminated !== undefined;
}
