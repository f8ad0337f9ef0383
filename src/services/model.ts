import type { FoundSecret } from "../secrets/variables.ts";
import type { ServiceFields } from "./schema.ts";

/** A service as engines take it. Both shapes of specs become this, and every default is filled in. */
export interface Service
  extends Omit<ServiceFields, "apiVersion" | "name" | "image" | "port" | "resources" | "repositories"> {
  readonly name: string;
  readonly image: string;
  /** At least one. Slipway asks the first whether the service is ready. */
  readonly ports: readonly number[];
  readonly replicas: number;
  readonly instanceType?: string | undefined;
  /** Undefined: always `replicas`. */
  readonly autoscaling?: Autoscaling;
  readonly repositories?: Repositories | undefined;
  /** The secrets that variables name, by variable. Undefined: not looked up. */
  readonly secrets?: Readonly<Record<string, FoundSecret>>;
}

export type Model = ServiceFields["models"][number];
export type Expose = NonNullable<ServiceFields["expose"]>;
export type HealthChecks = ServiceFields["healthChecks"];
export type HealthCheck = NonNullable<HealthChecks["readiness"]>;

export interface Autoscaling {
  readonly maxReplicas: number;
  readonly metrics: readonly { readonly metric: string; readonly value: number }[];
}

type RepositoriesFields = NonNullable<ServiceFields["repositories"]>;

export interface Repositories extends Omit<RepositoriesFields, "repositories"> {
  readonly repositories: readonly Repository[];
}

export interface Repository extends Omit<RepositoriesFields["repositories"][number], "password"> {
  /** Name of the secret that holds the password. */
  readonly secret?: string;
  /** The newest commit of the main branch. Undefined: the first clone asks the server. */
  readonly commit?: string;
}

/** Seconds until a running program counts as ready: many that cannot work end soon after their start. */
export const settlingTime = 5;
