import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, messageOf } from "../core/errors.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";
import { createOwned, jobsPath, newJobName } from "../jobs/kubernetes/submit.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { conditionOf, indexAnnotation, type Job, jobNameLabel, type Pod } from "../kubernetes/objects.ts";
import { Quiet } from "../kubernetes/quiet.ts";
import { watchAll } from "../kubernetes/watch.ts";
import { PodNotices } from "./pod-notices.ts";
import { PodWorker } from "./pod-worker.ts";
import type { PreparedCluster } from "./prepared-cluster.ts";
import { type JobOfWorkers, removeJob, removePod, withoutPods } from "./remove-workers.ts";
import { failureOf, type Worker, type WorkerGroup, type WorkerListener } from "./worker.ts";
import { accessSecret, groupLabel, renewedAccess, type WorkerPods, workerJob } from "./worker-job.ts";

/** Milliseconds between looks for pods that never start, and until a Job that has ended must have shown its pods. */
const interval = 3000;
const lastPods = 5000;
/** Milliseconds. */
const shortestRenewal = 10_000;

/** Workers that can take each other's calls. Those that are started together are pods of one Job. */
export class PodGroup implements WorkerGroup {
  readonly cluster: Cluster;
  readonly #pods: WorkerPods;
  readonly #prepared: PreparedCluster;
  readonly #tell: (text: string) => void;
  readonly #jobs = new Map<string, JobOfWorkers>();
  readonly #over = new AbortController();
  readonly #notices: PodNotices;
  readonly #quiet: Quiet;
  #starting: PodWorker[] = [];
  #stopping: { readonly worker: PodWorker; readonly stopped: (isDeleted: boolean) => void }[] = [];
  readonly #removals = new Set<Promise<unknown>>();
  #watching: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isCutShort = false;

  constructor(cluster: Cluster, pods: WorkerPods, prepared: PreparedCluster, tell: (text: string) => void) {
    this.cluster = cluster;
    this.#pods = pods;
    this.#prepared = prepared;
    this.#tell = tell;
    this.#quiet = new Quiet(tell, "the calls go on");
    const jobs = () => [...this.#jobs.values()];
    this.#notices = new PodNotices(cluster, pods.spec.name, { tell, jobs, quiet: this.#quiet, fail: this.fail });
  }

  start(listener: WorkerListener): Worker {
    const worker = new PodWorker(this, listener);
    if (this.#starting.push(worker) === 1) setImmediate(() => this.#submit(this.#starting.splice(0)));
    return worker;
  }

  async close(): Promise<void> {
    const jobs = [...this.#jobs.values()];
    await Promise.all([...jobs.flatMap(({ workers }) => workers), ...this.#starting].map(({ ended }) => ended));
    await Promise.all(this.#removals);
    if (this.#isCutShort) await withoutPods(this.cluster, this.#selector);
    this.#stopWatching();
    this.#over.abort();
    await this.#prepared.swept;
  }

  /** Workers that are stopped in the same turn are those of a Job, as a rule. */
  stop(worker: PodWorker): Promise<boolean> {
    this.#isCutShort = true;
    return new Promise((stopped) => {
      if (this.#stopping.push({ worker, stopped }) === 1) setImmediate(() => this.#stop(this.#stopping.splice(0)));
    });
  }

  readonly fail = (error: unknown): void => {
    const workers = [...this.#jobs.values()].flatMap((job) => job.workers);
    for (const worker of workers) worker.end(failureOf(error));
    // With another call, it may work again.
    this.#stopWatching();
  };

  onEnd(worker: PodWorker): void {
    for (const [name, job] of this.#jobs) {
      if (!job.workers.includes(worker)) continue;
      if (job.workers.some(({ isOver }) => !isOver)) return;
      this.#jobs.delete(name);
      const isCutShort = job.workers.some(({ isStopping }) => isStopping);
      this.#remove(job, isCutShort);
      return;
    }
  }

  get #selector(): string {
    return `${groupLabel}=${this.#pods.group}`;
  }

  #submit(all: readonly PodWorker[]): void {
    const workers = all.filter(({ isOver }) => !isOver);
    if (workers.length === 0) return;
    const name = newJobName(this.#pods.spec);
    const token = randomBytes(16).toString("hex");
    for (const worker of workers) worker.token = token;
    const { promise: created, resolve } = Promise.withResolvers<boolean>();
    const job: JobOfWorkers = { name, workers, created };
    this.#jobs.set(name, job);
    this.#watch();
    const notice = heartbeat(`Starting ${this.#pods.spec.name} in the cluster`, { after: patience, write: this.#tell });
    this.#create(job, token)
      .finally(notice)
      .then(
        () => resolve(true),
        (error: unknown) => {
          resolve(false);
          for (const worker of workers) worker.end(failureOf(error));
        },
      );
  }

  async #create(job: JobOfWorkers, token: string): Promise<void> {
    const { image } = this.#pods;
    const [{ dockerConfig }, files] = await Promise.all([this.#prepared.access(image), this.#prepared.files(image)]);
    const { namespace, owner } = this.cluster;
    const names = { name: job.name, namespace, owner, nonce: token };
    const manifests = workerJob(this.#pods, names, job.workers.length, { dockerConfig, files });
    job.object = await createOwned(this.cluster, manifests.job, manifests.secrets);
    void this.#renew(job, files.content.expires);
  }

  /** Deletes the Job if it has no other workers, else their pods. */
  #stop(stopping: readonly { readonly worker: PodWorker; readonly stopped: (isDeleted: boolean) => void }[]): void {
    const together = Map.groupBy(stopping, ({ worker }) =>
      [...this.#jobs.values()].find(({ workers }) => workers.includes(worker)),
    );
    for (const [job, those] of together) {
      const isWhole = job?.workers.every(({ isOver, isStopping }) => isOver || isStopping);
      const removal = job && isWhole ? this.#remove(job, true) : undefined;
      for (const { worker, stopped } of those) {
        void (removal ?? removePod(this.cluster, worker.pod, this.#tell)).then(stopped);
      }
    }
  }

  #remove(job: JobOfWorkers, isCutShort: boolean): Promise<boolean> {
    job.removal ??= removeJob(this.cluster, job, isCutShort, this.#tell);
    const { removal } = job;
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal));
    return removal;
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = new AbortController();
    const { signal } = this.#watching;
    const { cluster } = this;
    const { api, namespace } = cluster;
    const labelSelector = this.#selector;
    const options = { signal, quiet: this.#quiet };
    const pods = { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector };
    const jobs = { path: jobsPath(cluster), labelSelector };
    Promise.all([
      watchAll<Pod>(api, pods, options, (items) => this.#seePods(items)),
      watchAll<Job>(api, jobs, options, (items) => this.#seeJobs(items)),
    ]).catch((error: unknown) => {
      if (!signal.aborted) this.fail(error);
    });
    this.#timer = setInterval(() => {
      for (const { workers } of this.#jobs.values()) for (const worker of workers) worker.giveUp();
      this.#notices.look();
    }, interval).unref();
  }

  #stopWatching(): void {
    clearInterval(this.#timer);
    this.#notices.end();
    this.#quiet.answered();
    this.#watching?.abort();
    this.#watching = undefined;
  }

  #seePods(items: ReadonlyMap<string, Pod>): void {
    for (const pod of items.values()) {
      const { labels = {}, annotations = {} } = pod.metadata;
      const index = Number(labels[indexAnnotation] ?? annotations[indexAnnotation]);
      this.#jobs.get(labels[jobNameLabel] ?? "")?.workers[index]?.see(pod);
    }
    for (const { workers } of [...this.#jobs.values()]) {
      for (const worker of workers) if (worker.pod && !items.has(worker.pod.metadata.name)) worker.gone();
    }
    this.#notices.update();
  }

  #seeJobs(items: ReadonlyMap<string, Job>): void {
    for (const job of [...this.#jobs.values()]) {
      const current = items.get(job.name);
      if (job.removal !== undefined) continue;
      if (job.isSeen && (current === undefined || current.metadata.deletionTimestamp !== undefined)) {
        // One that could not be created whole was deleted by Slipway, which says why.
        void job.created.then((isCreated) => {
          if (isCreated && job.removal === undefined) this.fail(deletedByOthers(job.name));
        });
        continue;
      }
      if (current === undefined) continue;
      job.isSeen = true;
      job.object = current;
      if (conditionOf(current, "Complete") ?? conditionOf(current, "Failed")) this.#close(job);
    }
  }

  /** The watch of the pods may be behind that of the Job, or may have missed a pod that was soon deleted. */
  #close(job: JobOfWorkers): void {
    if (job.isClosed) return;
    job.isClosed = true;
    void delay(lastPods, undefined, { ref: false }).then(() => {
      for (const worker of job.workers) if (worker.pod === undefined) worker.gone();
    });
  }

  /** Acts before the pods' token expires. */
  async #renew(job: JobOfWorkers, first: string | undefined): Promise<void> {
    const path = `/api/v1/namespaces/${this.cluster.namespace}/secrets/${accessSecret(job.name)}`;
    const { signal } = this.#over;
    let isTold = false;
    for (let expires = first; expires !== undefined; ) {
      const left = Date.parse(expires) - Date.now();
      try {
        await delay(Math.max(shortestRenewal, left / 2), undefined, { signal, ref: false });
        if (job.removal !== undefined) return;
        const { content } = await this.#prepared.newFiles(this.#pods.image);
        // The registry may answer later.
        if (content.url === undefined) continue;
        expires = content.expires;
        await this.cluster.api.ask("PATCH", path, { body: renewedAccess(content) });
      } catch (error) {
        if (signal.aborted) return;
        const why = messageOf(error).split("\n", 1)[0];
        if (!isTold) this.#tell(`Pods get no new token for files of functions: ${why}`);
        isTold = true;
      }
    }
  }
}

function deletedByOthers(name: string): Failure {
  const problem = `Job ${name} was deleted while its calls ran, and not by Slipway.`;
  return new Failure({ code: "job-failed", culprit: name }, problem, "Make the calls again.");
}
