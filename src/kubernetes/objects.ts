// Types only: of the package's code, this loads nothing.
import type {
  CoreV1Event,
  V1CronJob,
  V1Deployment,
  V1Job,
  V1ObjectMeta,
  V1Pod,
  V1PodCondition,
  V1PodTemplateSpec,
  V1ReplicaSet,
  V1Secret,
} from "@kubernetes/client-node";

/** As JSON: text (ISO 8601) where the client library has a `Date`, and a field that is undefined is left out. */
export type Raw<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Item)[]
    ? readonly Raw<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: Raw<Value[Key]> | (object extends Pick<Value, Key> ? undefined : never) }
      : Value;

type Has<Value, Key extends keyof Value> = Omit<Value, Key> & { readonly [Each in Key]-?: NonNullable<Value[Each]> };

export type Metadata = Has<Raw<V1ObjectMeta>, "name" | "uid" | "resourceVersion" | "creationTimestamp">;

type Stored<Value extends { readonly metadata?: unknown }> = Omit<Value, "metadata"> & { readonly metadata: Metadata };

export type Job = Stored<Has<Raw<V1Job>, "spec">>;
export type CronJob = Stored<Has<Raw<V1CronJob>, "spec">>;
export type Pod = Stored<Has<Raw<V1Pod>, "spec">>;
export type PodSpec = Pod["spec"];
export type PodTemplate = Has<Raw<V1PodTemplateSpec>, "spec">;
interface WithTemplate {
  readonly spec: { readonly template: PodTemplate };
}
export type Deployment = Stored<Has<Raw<V1Deployment>, "spec">> & WithTemplate;
export type ReplicaSet = Stored<Has<Raw<V1ReplicaSet>, "spec">> & WithTemplate;
export type Container = PodSpec["containers"][number];
export type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];
export type ContainerState = NonNullable<ContainerStatus["state"]>;
export type Terminated = NonNullable<ContainerState["terminated"]>;
export type Secret = Stored<Raw<V1Secret>>;
export type Event = Stored<Raw<CoreV1Event>>;
export type Condition = Raw<V1PodCondition>;

export interface List<Item> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Item[];
}

type NewMetadata = Has<Raw<V1ObjectMeta>, "name" | "namespace" | "labels">;

/** Objects to create. */
export type SecretManifest = Has<Raw<V1Secret>, "data"> & { readonly metadata: NewMetadata };
export type JobManifest = Has<Raw<V1Job>, "spec"> & { readonly metadata: NewMetadata };

export const containerName = "main";

export const managedBy = { "app.kubernetes.io/managed-by": "slipway" } as const;
export const userLabel = "slipway/user";
/** The random text of the result line. Only jobs that call a function have it. */
export const nonceAnnotation = "slipway/nonce";
/** Set when all that a job needs exists. */
export const releasedAnnotation = "slipway/released";
/** Set before a job is deleted, for those who watch it: `cancelled`, or why it failed. */
export const endAnnotation = "slipway/end";
export const commitAnnotation = "slipway/commit";
/** The matrix of a sweep as JSON, which gives the values of its items. */
export const matrixAnnotation = "slipway/matrix";

/** The job controller sets these on pods: the item, the job, and what keeps a pod until its end is counted. */
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";
export const jobNameLabel = "batch.kubernetes.io/job-name";
export const jobFinalizer = "batch.kubernetes.io/job-tracking";

export function isOurs({ metadata }: { readonly metadata: Metadata }): boolean {
  return Object.entries(managedBy).every(([label, value]) => metadata.labels?.[label] === value);
}

/** The label selector of Slipway's objects. @param owner only objects of this user */
export function ownSelector(owner?: string): string {
  const labels = { ...managedBy, ...(owner === undefined ? {} : { [userLabel]: owner }) };
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(",");
}

/** In the order in which the containers start. */
export function containerStatuses({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

export function containerState(pod: Pod, name: string = containerName): ContainerState {
  return containerStatuses(pod).find((each) => each.name === name)?.state ?? {};
}

export function hasBegun(pod: Pod): boolean {
  const { running, terminated } = containerState(pod);
  return running !== undefined || terminated !== undefined;
}

export function conditionOf(
  object: { readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((each) => each.type === type && each.status === "True");
}
