import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "../core/environment.ts";
import { Failure, messageOf, UserError } from "../core/errors.ts";
import { countInterval, heartbeat, patience } from "../core/heartbeat.ts";
import { inOrder } from "../jobs/kubernetes/status.ts";
import { createOwned, deleteJob, jobNamed, newJobName, podsOf, removeAbandoned } from "../jobs/kubernetes/submit.ts";
import { tellWaits } from "../jobs/kubernetes/waiting.ts";
import { mayPass } from "../kubernetes/api-error.ts";
import { checkArchitecture } from "../kubernetes/architecture.ts";
import { requireClaims } from "../kubernetes/claims.ts";
import { type Cluster, openCluster } from "../kubernetes/cluster.ts";
import { creationTrouble, type Trouble } from "../kubernetes/failure.ts";
import { conditionOf, type Job, type Pod } from "../kubernetes/objects.ts";
import { checkReach, type PullAccess, pullAccess } from "../kubernetes/pull-secret.ts";
import { Quiet } from "../kubernetes/quiet.ts";
import { watchAll } from "../kubernetes/watch.ts";
import { secretStores } from "../secrets/cluster.ts";
import { resolveVariables } from "../secrets/variables.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { type CallBatch, type CallEngine, type CallListener, partOf, tell } from "./calls.ts";
import { givenAccess } from "./give-access.ts";
import { accessSecret, deadline, type GivenAccess, indexedJob, keptFor, renewedAccess } from "./indexed-job.ts";
import { PodResults, sentences } from "./pod-results.ts";

/** Milliseconds. */
const giveUpInterval = 3000;
/** Milliseconds for pods to end. After that, their node does not answer. */
const endTime = 120_000;
/** Calls whose pods were deleted run again in another Job. */
const rounds = 5;
/** Milliseconds between attempts to delete a Job. */
const interval = 1000;
/** Milliseconds. */
const shortestRenewal = 10_000;
/** Milliseconds for which a token, valid for an hour, is as good as a new one. */
const accessTime = 5 * 60_000;

/** Makes one Job for a batch. It ends with the last result, with this process, or else by its deadline. */
export class KubernetesCalls implements CallEngine {
  readonly kind = "kubernetes";
  readonly #env: Environment;
  readonly #prepared: Prepared;
  requests = 0;

  constructor(env: Environment, prepared = new Prepared(env)) {
    this.#env = env;
    this.#prepared = prepared;
  }

  async run(batch: CallBatch, listener: CallListener): Promise<void> {
    let left = batch.inputs.map((_, index) => index);
    for (let round = 1; left.length > 0; round += 1) {
      const indexes = left;
      const part = partOf(batch, listener, indexes);
      const lost = await this.#runOnce(part.batch, part.listener);
      left = lost.map((index) => indexes[index] ?? index);
      if (left.length === 0) return;
      const pods = left.length === 1 ? "The pod of a call was" : `The pods of ${left.length} calls were`;
      if (round === rounds) {
        const problem = `${pods} deleted or lost, for the ${rounds}th time.`;
        const reason = { problem, remedy: "Find out who deletes them, then call it again." };
        for (const index of left) listener.onOutcome(index, { status: 1, reason });
        return;
      }
      tell(listener, `${pods} deleted or lost; trying again`);
    }
  }

  /** @returns the calls whose pods were lost */
  async #runOnce(batch: CallBatch, listener: CallListener): Promise<readonly number[]> {
    const options = { after: patience, write: (text: string) => tell(listener, text) };
    const endNotice = heartbeat(`Starting ${batch.name} in the cluster`, options);
    const { cluster, metadata, nonce, before, access } = await this.#start(batch, listener).finally(endNotice);
    const over = new AbortController();
    void this.#renew(cluster, metadata.name, batch, access, listener, over.signal);
    const [followed] = await Promise.allSettled([followCalls(cluster, metadata, nonce, batch, listener)]);
    over.abort();
    const endDeletion = heartbeat(`Waiting for job ${metadata.name} to be deleted`, options);
    const [removed] = await Promise.allSettled([removeJob(cluster, metadata.name, listener).finally(endDeletion)]);
    await this.#prepared.swept;
    this.requests += cluster.api.requests - before;
    // Why calls failed matters more than why their Job was not deleted.
    if (followed.status === "rejected") throw followed.reason;
    if (removed.status === "rejected") throw removed.reason;
    return followed.value;
  }

  async #start(batch: CallBatch, listener: CallListener) {
    const cluster = await this.#prepared.cluster;
    const before = cluster.api.requests;
    checkReach(batch.image ?? "", cluster);
    const image = await runnableImage(batch.image ?? "", this.#env);
    const [{ dockerConfig }, access, { values, references }] = await Promise.all([
      this.#prepared.access(image),
      this.#prepared.files(image),
      resolveVariables(batch.env, secretStores(cluster, this.#env)),
      checkArchitecture(image, batch.resources, this.#env),
      requireClaims(cluster, batch.volumes),
    ]);
    const name = newJobName(batch);
    const nonce = randomBytes(16).toString("hex");
    const { namespace, owner } = cluster;
    const names = { name, namespace, owner, nonce };
    const { job, secrets } = indexedJob({ ...batch, env: values }, image, names, dockerConfig, references, access);
    listener.signal?.throwIfAborted();
    const { metadata } = await createOwned(cluster, job, secrets);
    return { cluster, metadata, nonce, before, access };
  }

  /** Acts before the pods' token expires. */
  async #renew(
    cluster: Cluster,
    job: string,
    { image = "" }: CallBatch,
    given: GivenAccess,
    listener: CallListener,
    signal: AbortSignal,
  ): Promise<void> {
    let isTold = false;
    const path = `/api/v1/namespaces/${cluster.namespace}/secrets/${accessSecret(job)}`;
    for (let { content } = given; content.expires !== undefined; ) {
      const left = Date.parse(content.expires) - Date.now();
      try {
        await delay(Math.max(shortestRenewal, left / 2), undefined, { signal, ref: false });
        const next = (await givenAccess(image, cluster, this.#env)).content;
        // The registry may answer later.
        if (next.url === undefined) continue;
        content = next;
        const body = renewedAccess(content);
        await cluster.api.ask("PATCH", path, { body });
      } catch (error) {
        if (signal.aborted) return;
        const why = messageOf(error).split("\n", 1)[0];
        if (!isTold) tell(listener, `Pods get no new token for files of functions: ${why}`);
        isTold = true;
      }
    }
  }
}

/** Prepared before the first call. A failure is an error only when a call needs that part. */
export class Prepared {
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
    for (const image of images) this.#askFiles(image).catch(() => {});
  }

  /** Without access to the registry, pods get the reason. */
  async files(image: string): Promise<GivenAccess> {
    const known = this.#files.get(image);
    const early = await known?.access.catch(() => undefined);
    if (known === undefined || early === undefined) return this.#askFiles(image);
    const { expires } = early.content;
    const end = expires === undefined ? known.since + accessTime : Date.parse(expires) - shortestRenewal * 6;
    return Date.now() < end ? early : this.#askFiles(image);
  }

  #askFiles(image: string): Promise<GivenAccess> {
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

async function followCalls(
  cluster: Cluster,
  { name }: Job["metadata"],
  nonce: string,
  batch: CallBatch,
  listener: CallListener,
): Promise<readonly number[]> {
  const { api } = cluster;
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ...(listener.signal ? [listener.signal] : [])]);
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  const results = new PodResults(cluster, nonce, batch, listener, signal);
  const notice = (text: string) => tell(listener, text);
  const told = new Set<string>();
  const trouble = (found: Trouble | undefined) => {
    if (found === undefined || told.has(found.words)) return;
    told.add(found.words);
    if (found.isFinal)
      fail(new Failure(found.identity ?? { code: "job-failed", culprit: name }, ...sentences(found.words)));
    else notice(found.words);
  };
  // The watches report an error that may pass.
  const failUnlessPassing = (error: unknown) => {
    if (!mayPass(error)) fail(error);
  };
  const quiet = new Quiet(notice, "the calls go on");
  const options = { signal, quiet };
  let known: { readonly job?: Job; readonly pods?: readonly Pod[] } = {};
  const endNotices = tellWaits(cluster, {
    notice,
    look: () => known.job && known.pods && { job: known.job, pods: inOrder(known.pods) },
    isQuiet: () => quiet.isQuiet,
    onEvents: (events) => trouble(results.hasBegun ? undefined : creationTrouble(events)),
    ...(batch.labels === undefined ? {} : { interval: countInterval }),
  });

  const pods = watchAll<Pod>(api, podsOf(cluster, name), options, (items) => {
    const present = [...items.values()];
    known = { ...known, pods: present };
    results.see(present);
    results.trouble(items.values()).then(trouble, failUnlessPassing);
  });
  const job = watchAll<Job>(api, jobNamed(cluster, name), options, (items) => {
    const current = items.get(name);
    if (current) known = { ...known, job: current };
    if (current === undefined || current.metadata.deletionTimestamp !== undefined) {
      const problem = `Job ${name} was deleted while its calls ran, and not by Slipway.`;
      fail(new Failure({ code: "job-failed", culprit: name }, problem, "Make the calls again."));
    } else if (conditionOf(current, "Complete") || conditionOf(current, "Failed")) {
      // The watch of the pods may be behind that of the Job.
      podsNow(cluster, name, signal).then((pods) => {
        results.see(pods);
        results.close(current);
      }, fail);
    }
  });
  const timer = setInterval(() => results.giveUp(), giveUpInterval);
  try {
    // A watch only ends when it is aborted.
    const lost = await Promise.race([results.done, failed, Promise.all([pods, job]).then(() => [])]);
    listener.signal?.throwIfAborted();
    return lost;
  } finally {
    clearInterval(timer);
    endNotices();
    quiet.answered();
    over.abort();
    failed.catch(() => {});
  }
}

/** Retries until there is an answer. */
async function podsNow(cluster: Cluster, name: string, signal: AbortSignal): Promise<readonly Pod[]> {
  const over = new AbortController();
  let pods: readonly Pod[] = [];
  const either = AbortSignal.any([signal, over.signal]);
  await watchAll<Pod>(cluster.api, podsOf(cluster, name), { signal: either }, (items) => {
    pods = [...items.values()];
    over.abort();
  });
  return pods;
}

/** If the calls were ended, waits until no pod runs. A Job that cannot be deleted is no error: a notice names it. */
async function removeJob(cluster: Cluster, name: string, listener: CallListener): Promise<void> {
  const { signal } = listener;
  const { context, namespace } = cluster;
  const isEnded = signal?.aborted ?? false;
  for (const end = Date.now() + endTime; ; await delay(interval)) {
    try {
      await deleteJob(cluster, name, isEnded ? "Foreground" : "Background");
      break;
    } catch (error) {
      if (mayPass(error) && Date.now() < end) continue;
      const why = error instanceof UserError || error instanceof Failure ? error.problem : String(error);
      const problem = `Job ${name} is left in namespace ${namespace} of cluster ${context}: ${why}`;
      const remedy = `It stops ${deadline / 3600} hours after its start and is removed ${keptFor / 60} minutes later. Delete it to stop it sooner.`;
      return tell(listener, `${problem} ${remedy}`);
    }
  }
  if (!isEnded) return;
  const gone = new AbortController();
  const either = AbortSignal.any([gone.signal, AbortSignal.timeout(endTime)]);
  await watchAll<Pod>(cluster.api, podsOf(cluster, name), { signal: either }, (items) => {
    if (items.size === 0) gone.abort();
  });
}
