import { inOrder } from "../../jobs/kubernetes/status.ts";
import {
  conditionOf,
  containerStatuses,
  type Deployment,
  type Metadata,
  type Pod,
  type ReplicaSet,
} from "../../kubernetes/objects.ts";
import { Observer } from "../../kubernetes/observer.ts";
import type { Place } from "./apply.ts";
import { pathOf, serviceLabel } from "./manifest.ts";

interface Lists {
  readonly deployments: readonly Deployment[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
}

export class Observation extends Observer {
  readonly #lists: { -readonly [Name in keyof Lists]: Lists[Name] } = { deployments: [], replicaSets: [], pods: [] };

  constructor(
    { api, namespace }: Place,
    names: readonly string[],
    signal: AbortSignal | undefined,
    notice: (text: string) => void,
  ) {
    super(signal, notice, "services go on");
    const follow = <Name extends keyof Lists>(name: Name, path: string) =>
      this.watch<Lists[Name][number]>(api, { path, labelSelector: selectorFor(names) }, (items) => {
        Object.assign(this.#lists, { [name]: [...items.values()] });
      });
    follow("deployments", pathOf("Deployment", namespace));
    follow("replicaSets", replicaSetsPath(namespace));
    follow("pods", podsPath(namespace));
  }

  of(name: string): Observed {
    return observedOf(name, this.#lists);
  }
}

/** Selects one service, or all if there are several names or one that no label can hold. */
export function selectorFor(names: readonly string[]): string {
  const [name = ""] = names;
  return /^[-a-z0-9]+$/.test(name) && names.length === 1 ? `${serviceLabel}=${name}` : serviceLabel;
}

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

export function replicaSetsPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${namespace}/replicasets`;
}

export function observedOf(name: string, { deployments, replicaSets, pods }: Lists): Observed {
  const isOf = ({ metadata }: { readonly metadata: Metadata }) => metadata.labels?.[serviceLabel] === name;
  return {
    deployment: deployments.find((each) => isOf(each) && each.metadata.name === name),
    replicaSets: replicaSets.filter(isOf),
    pods: inOrder(pods.filter(isOf)),
  };
}

export interface Observed {
  readonly deployment: Deployment | undefined;
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
}

/** A number that Kubernetes gives to each revision of a Deployment. */
export const revisionAnnotation = "deployment.kubernetes.io/revision";
export const hashLabel = "pod-template-hash";

export function wantedReplicas({ spec }: Deployment): number {
  return spec.replicas ?? 1;
}

/**
 * Whether all wanted pods are ready and earlier ones gone. The Deployment's own count misses pods that an earlier
 * ReplicaSet is just creating, so its sets count too.
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

/** Of the wanted revision without those that are ending, its failed ones, and those of earlier revisions. */
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
