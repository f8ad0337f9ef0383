// Part of the public types of the package `slipway`, so it uses no Node types.

export interface JobResources {
  readonly cpu?: number;
  readonly memory?: number;
  readonly gpu?: number;
  /** A name of the table of instance types. The other fields win over those of the type. */
  readonly instance_type?: string;
}

/** Resources of each container, and the nodes that may run it. */
export interface InstanceType {
  readonly cpu: number;
  readonly memory: number;
  readonly gpu: number;
  /** The name of a graphics processor among a node's resources. Default: `nvidia.com/gpu`. */
  readonly gpuResource?: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  readonly priorityClass?: string;
  /** Whether its nodes may go at any time, so that a pod which ends with one is no failure. */
  readonly spot?: boolean;
}

export const architectureLabel = "kubernetes.io/arch";

export interface Toleration {
  readonly key: string;
  readonly operator: "Exists" | "Equal";
  readonly value?: string;
  readonly effect?: string;
}

export type PlacedResources = Partial<InstanceType>;
