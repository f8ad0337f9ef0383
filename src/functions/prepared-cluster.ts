import type { Environment } from "../core/environment.ts";
import { removeAbandoned } from "../jobs/kubernetes/submit.ts";
import { type Cluster, openCluster } from "../kubernetes/cluster.ts";
import { checkReach, type PullAccess, pullAccess } from "../kubernetes/pull-secret.ts";
import { givenAccess } from "./give-access.ts";
import type { GivenAccess } from "./pod-access.ts";

/** Milliseconds for which a token, valid for an hour, is as good as a new one. */
const accessTime = 5 * 60_000;
/** Milliseconds before its expiry when a token is not given to new pods any more. */
const margin = 60_000;

/** Prepared before the first call. A failure is an error only when a call needs that part. */
export class PreparedCluster {
  readonly #env: Environment;
  readonly #access: ReadonlyMap<string, Promise<PullAccess>>;
  readonly #files = new Map<string, { readonly since: number; readonly access: Promise<GivenAccess> }>();
  readonly #since = Date.now();
  readonly cluster: Promise<Cluster>;
  /** Settles when abandoned jobs are deleted, or cannot be. */
  readonly swept: Promise<void>;

  constructor(env: Environment, images: readonly string[] = []) {
    this.#env = env;
    this.cluster = openCluster(env);
    this.cluster.catch(() => {});
    this.swept = this.cluster.then((cluster) => removeAbandoned(cluster)).catch(() => {});
    this.#access = new Map(images.map((image) => [image, this.#ask(image).catch(() => ({}))]));
    for (const image of images) this.newFiles(image).catch(() => {});
  }

  /** Without access to the registry, pods get the reason. */
  async files(image: string): Promise<GivenAccess> {
    const known = this.#files.get(image);
    const early = await known?.access.catch(() => undefined);
    if (known === undefined || early === undefined) return this.newFiles(image);
    const { expires } = early.content;
    const end = expires === undefined ? known.since + accessTime : Date.parse(expires) - margin;
    return Date.now() < end ? early : this.newFiles(image);
  }

  newFiles(image: string): Promise<GivenAccess> {
    const access = this.cluster.then((cluster) => givenAccess(image, cluster, this.#env));
    this.#files.set(image, { since: Date.now(), access });
    return access;
  }

  async access(image: string): Promise<PullAccess> {
    const early = Date.now() - this.#since < accessTime ? await this.#access.get(image) : undefined;
    // The embedded registry may have started since.
    return early?.dockerConfig === undefined ? this.#ask(image) : early;
  }

  #ask(image: string): Promise<PullAccess> {
    return pullAccess(image, this.#env["SLIPWAY_COPY_CREDENTIALS"] === "1", this.#env);
  }
}

/** Refuses images that the cluster cannot pull: see `checkReach`. */
export async function checkImages(images: readonly string[], env: Environment): Promise<void> {
  const cluster = await openCluster(env);
  for (const image of images) checkReach(image, cluster);
}
