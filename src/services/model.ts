import type { FoundSecret } from "../secrets/variables.ts";

/** What runs as long as it is wanted, and answers on ports (SPEC section 4). Both shapes of specs are this; every default is filled in. */
export interface Service {
  /** At most 40 lower-case letters, digits and `-`: what its objects are called. */
  readonly name: string;
  /** Whether it runs; false keeps all of it but the pods. */
  readonly enabled: boolean;
  /** As the spec has it. */
  readonly image: string;
  /** A registry as `slipway credentials add --name` named it, whose credential the image is pulled with. */
  readonly containerRegistry?: string;
  /** Program and arguments, in place of the image's. */
  readonly command?: readonly string[];
  /** At least one. The first is asked whether the service is ready. */
  readonly ports: readonly number[];
  /** As the spec has them: `SECRET:NAME` stands for the value of a secret. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  /** The secrets that variables name, by variable. Undefined: nobody looked for them. */
  readonly secrets?: Readonly<Record<string, FoundSecret>>;
  readonly models: readonly Model[];
  readonly repositories?: Repositories;
  readonly replicas: number;
  /** A key of the table of instance types. Undefined: pods get what is free. */
  readonly instanceType?: string;
  /** Undefined: always `replicas`. */
  readonly autoscaling?: Autoscaling;
  readonly healthChecks: HealthChecks;
  /** Where it can be reached from outside its cluster. Undefined: nowhere. */
  readonly expose?: Expose;
}

/** A name under which a service is reached from outside its cluster. */
export interface Expose {
  readonly host: string;
  /** Whether by https: with the certificate in a Secret of this name, or with what the cluster has for the host. */
  readonly tls: boolean | string;
}

/** Seconds that a program must run until it counts as ready: many that cannot work end soon after their start. */
export const settlingTime = 5;

export interface Model {
  /** Of the model registry. */
  readonly id: string;
  /** Absolute folder in the container. */
  readonly path: string;
}

export interface Repositories {
  /** The volume claim that checkouts are kept in. */
  readonly dataset: string;
  /** Absolute folder in the container; each repository is below it. */
  readonly mountPath: string;
  readonly repositories: readonly Repository[];
}

export interface Repository {
  /** https. */
  readonly url: string;
  /** The newest commit of its main branch. Undefined: the first to clone it asks the server. */
  readonly commit?: string;
  /** Of the folder below `mountPath`. */
  readonly name: string;
  readonly username?: string;
  /** Name of the secret that holds the password. */
  readonly secret?: string;
}

export interface Autoscaling {
  readonly maxReplicas: number;
  /** Per cent of what the instance type has, on average over all replicas. */
  readonly metrics: readonly { readonly metric: "cpu" | "memory"; readonly value: number }[];
}

/** Requests that tell how a container is. `startup` and `readiness` fall back to whether the first port is open. */
export interface HealthChecks {
  readonly startup?: HealthCheck;
  readonly readiness?: HealthCheck;
  readonly liveness?: HealthCheck;
}

export interface HealthCheck {
  /** Answered with a status from 200 to 399 when all is well. */
  readonly path: string;
  /** Undefined: the first port. */
  readonly port?: number;
  readonly initialDelaySeconds?: number;
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}
