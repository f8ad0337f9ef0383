import { randomBytes } from "node:crypto";
import type { Environment } from "../core/environment.ts";
import { checkArchitecture } from "../kubernetes/architecture.ts";
import { requireClaims } from "../kubernetes/claims.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { checkReach } from "../kubernetes/pull-secret.ts";
import { secretStores } from "../secrets/cluster.ts";
import { resolveVariables } from "../secrets/variables.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { PodGroup } from "./pod-group.ts";
import { PreparedCluster } from "./prepared-cluster.ts";
import type { WorkerEngine, WorkerGroup, WorkerSpec } from "./worker.ts";

/** Workers of a map at once, unless the user says so. */
const usualRoom = 50;

/** Workers in pods of Jobs. The channel is a connection through the API server. */
export class PodWorkers implements WorkerEngine {
  readonly kind = "kubernetes";
  readonly #env: Environment;
  readonly #prepared: PreparedCluster;
  #cluster: Cluster | undefined;

  /** @param images that are going to be used */
  constructor(env: Environment, images: readonly string[] = [], prepared = new PreparedCluster(env, images)) {
    this.#env = env;
    this.#prepared = prepared;
  }

  /** Sent to the API server so far. */
  get requests(): number {
    return this.#cluster?.api.requests ?? 0;
  }

  room(): number {
    return usualRoom;
  }

  async open(spec: WorkerSpec, tell: (text: string) => void): Promise<WorkerGroup> {
    const cluster = await this.#prepared.cluster;
    this.#cluster = cluster;
    checkReach(spec.image ?? "", cluster);
    const image = await runnableImage(spec.image ?? "", this.#env);
    const [{ values: env, references }] = await Promise.all([
      resolveVariables(spec.env, secretStores(cluster, this.#env)),
      // So that the first Job finds them.
      this.#prepared.access(image),
      this.#prepared.files(image),
      checkArchitecture(image, spec.resources, this.#env),
      requireClaims(cluster, spec.volumes),
    ]);
    const group = randomBytes(8).toString("hex");
    return new PodGroup(cluster, { spec, image, env, references, group }, this.#prepared, tell);
  }
}
