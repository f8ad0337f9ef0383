/** How a service is, on whatever runs it. */
export interface ServiceStatus {
  readonly name: string;
  /** `changing`: not all that is wanted is ready yet, something of before still runs, or an autoscaler gets no metrics. */
  readonly state: "ready" | "changing" | "stopped";
  readonly replicas: {
    readonly wanted: number;
    /** Of what is wanted now. */
    readonly ready: number;
    /** Of before a change, not ended yet. */
    readonly old: number;
  };
  /** Present where an autoscaler decides how many replicas are wanted. */
  readonly autoscaling?: { readonly minReplicas: number; readonly maxReplicas: number };
  /** Undefined: nothing runs it. */
  readonly image?: string;
  /** Why it is not ready, and what to do. */
  readonly reason?: string;
  /** `HOST:PORT` of each that answers. */
  readonly endpoints: readonly string[];
  /** The addresses at which it is exposed. Undefined: it is not. */
  readonly urls?: readonly string[];
}
