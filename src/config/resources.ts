// Part of the public types of the package `slipway`, so it uses no Node types.

export interface JobResources {
  /** Processors, fractions allowed. */
  readonly cpu?: number;
  /** Bytes. */
  readonly memory?: number;
  /** Whole graphics processors. */
  readonly gpu?: number;
  /** A name of the table of instance types. The other fields win over those of the type. */
  readonly instance_type?: string;
}

/** What each container gets, and where it may run. */
export interface InstanceType {
  /** Processors, fractions allowed. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Whole graphics processors. */
  readonly gpu: number;
  /** The name of a graphics processor among a node's resources. Default: `nvidia.com/gpu`. */
  readonly gpuResource?: string;
  /** Labels of the nodes that have it. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Taints of those nodes that it is let past. */
  readonly tolerations: readonly Toleration[];
  readonly priorityClass?: string;
  /** Whether its nodes may go at any time, so that a pod which ends with one is no failure. */
  readonly spot?: boolean;
}

/** The label by which nodes tell their architecture. */
export const architectureLabel = "kubernetes.io/arch";

export interface Toleration {
  readonly key: string;
  readonly operator: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: string;
}

/** Resources with the fields of their instance type. */
export type PlacedResources = Partial<InstanceType>;
