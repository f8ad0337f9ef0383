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
  /** Undefined: nothing runs. */
  readonly image?: string;
  /** Why it is not ready, and what to do. */
  readonly reason?: string;
  /** `HOST:PORT` of each replica that answers. */
  readonly endpoints: readonly string[];
  /** Undefined: it is not exposed. */
  readonly urls?: readonly string[];
}
