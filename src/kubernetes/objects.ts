/** The fields of Kubernetes' objects that are read here, as the API server writes them. */

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** ISO 8601, whole seconds, as all times of Kubernetes but those of logs. */
  readonly creationTimestamp: string;
  /** When it is gone at the latest: so long after its deletion was asked for as {@link deletionGracePeriodSeconds} says. */
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly finalizers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface Job {
  readonly metadata: Metadata;
  readonly spec: {
    readonly suspend?: boolean;
    readonly backoffLimit?: number;
    readonly completionMode?: "NonIndexed" | "Indexed";
    readonly completions?: number;
    readonly template: { readonly spec: PodSpec };
  };
  readonly status?: {
    readonly active?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    /** Of an indexed job, as in `0,3-5`. */
    readonly completedIndexes?: string;
    readonly failedIndexes?: string;
    readonly startTime?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly Condition[];
  };
}

export interface PodSpec {
  readonly activeDeadlineSeconds?: number;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
}

export interface Terminated {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly finishedAt?: string;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: object;
  readonly terminated?: Terminated;
}

export interface ContainerStatus {
  readonly name: string;
  /** By its node's word. */
  readonly ready?: boolean;
  readonly state?: ContainerState;
  /** How it ended before it was started again. */
  readonly lastState?: ContainerState;
  readonly restartCount?: number;
  /** What the node runs, as it names it. */
  readonly imageID?: string;
}

export interface Pod {
  readonly metadata: Metadata;
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
    readonly reason?: string;
    readonly message?: string;
    /** When its node took it. */
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface Event {
  readonly metadata: Metadata;
  readonly involvedObject?: { readonly name?: string };
  readonly type?: "Normal" | "Warning";
  readonly reason?: string;
  readonly message?: string;
  /** Of one that happened several times. */
  readonly lastTimestamp?: string;
}

export interface List<Item> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Item[];
}

/** The container of a pod that runs the program. */
export const containerName = "main";

/** Labels and annotations of what Slipway makes in a cluster. */
export const managedBy = { "app.kubernetes.io/managed-by": "slipway" } as const;
/** Name of the user who submitted, as far as a label can hold it. */
export const userLabel = "slipway/user";
/** Random text of the result line; only on jobs that call a function. */
export const nonceAnnotation = "slipway/nonce";
/** Set once everything that a job needs is there. */
export const releasedAnnotation = "slipway/released";
/** How a job is ended before it is deleted, for whoever watches it: `cancelled`, or why it failed. */
export const endAnnotation = "slipway/end";

/** The commit of a job's code. */
export const commitAnnotation = "slipway/commit";
/** The matrix of a sweep as JSON, so that whoever looks at the job knows the values of its items. */
export const matrixAnnotation = "slipway/matrix";

/** The annotation by which the job controller numbers the pods of an indexed job. */
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

/** The label by which the job controller marks the pods of a job. */
export const jobNameLabel = "batch.kubernetes.io/job-name";

/** Keeps a pod until the job controller has noted its end. */
export const jobFinalizer = "batch.kubernetes.io/job-tracking";

/** All containers of a pod as they are, in the order in which they start. */
export function containerStatuses({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** The state of a container: of the program's, unless another one is named. */
export function containerState(pod: Pod, name: string = containerName): ContainerState {
  return containerStatuses(pod).find((each) => each.name === name)?.state ?? {};
}

/** Whether the program of a pod was started. */
export function hasBegun(pod: Pod): boolean {
  const { running, terminated } = containerState(pod);
  return running !== undefined || terminated !== undefined;
}

export function conditionOf(
  object: { readonly status?: { readonly conditions?: readonly Condition[] } },
  type: string,
): Condition | undefined {
  return object.status?.conditions?.find((each) => each.type === type && each.status === "True");
}
