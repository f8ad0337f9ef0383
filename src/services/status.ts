export interface ServiceStatus {
  readonly name: string;
  /** `changing`: not all wanted pods are ready, earlier ones still run, or the autoscaler gets no metrics. */
  readonly state: "ready" | "changing" | "stopped";
  readonly replicas: {
    readonly wanted: number;
    readonly ready: number;
    /** From before a change, and not ended yet. */
    readonly old: number;
  };
  readonly autoscaling?: { readonly minReplicas: number; readonly maxReplicas: number };
  readonly image?: string;
  readonly reason?: string;
  /** `HOST:PORT` of each replica that answers. */
  readonly endpoints: readonly string[];
  readonly urls?: readonly string[];
}
