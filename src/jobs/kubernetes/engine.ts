import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import { parseExactly } from "../../core/exact-json.ts";
import { heartbeat, patience } from "../../core/heartbeat.ts";
import { parseReply } from "../../core/protocol.ts";
import { refusalOf } from "../../kubernetes/api-error.ts";
import { type Cluster, openCluster } from "../../kubernetes/cluster.ts";
import { asItIs, lostResult } from "../../kubernetes/logs.ts";
import {
  containerState,
  endAnnotation,
  hasBegun,
  isOurs,
  type Job,
  jobNameLabel,
  ownSelector,
  type Pod,
  userLabel,
} from "../../kubernetes/objects.ts";
import { listAll } from "../../kubernetes/watch.ts";
import {
  hasEnded,
  type JobEngine,
  type JobOutcome,
  type JobStatus,
  type ListedJob,
  type LogChunk,
  type ShownLog,
  stillRuns,
} from "../engine.ts";
import type { Program } from "../program.ts";
import { idOf, nameOf } from "./id.ts";
import { keptFor } from "./job.ts";
import { Observation, remember } from "./observation.ts";
import { JobOutput, nonceOf } from "./output.ts";
import { troubleOf, Waiting, whyWithoutPod, withReason } from "./reasons.ts";
import { JobNotes } from "./records.ts";
import { cancelled, inOrder, type Observed, statusOf } from "./status.ts";
import { createOwned, deleteJob, endJob, jobsPath, newJobName, objectsOf, podsOf, removeAbandoned } from "./submit.ts";
import { byItem, isItemOver, requireItem, tellItems } from "./sweep.ts";
import { tellWaits } from "./waiting.ts";

/** Milliseconds that pods get to end. After that, their node does not answer. */
const endTime = 120_000;
/** Milliseconds for which this machine remembers a job that the cluster has deleted. */
const noteTime = 7 * 24 * 60 * 60_000;

export interface KubernetesOptions {
  /** Whether the user's own credential may be copied into the cluster. Default: `SLIPWAY_COPY_CREDENTIALS` is 1. */
  readonly copyCredentials?: boolean;
  readonly notice?: (text: string) => void;
}

/** Runs jobs in a cluster, which stores all state. A pod has one stream for standard output and error. */
export class KubernetesEngine implements JobEngine {
  readonly #env: Environment;
  readonly #copy: boolean;
  readonly #notice: (text: string) => void;
  readonly #notes: JobNotes;
  readonly #clusters = new Map<string, Promise<Cluster>>();
  readonly #output: JobOutput;
  /** All pods that were seen, by the job's name. A later question may come when they are gone. */
  readonly #pods = new Map<string, Map<string, Pod>>();

  constructor(env: Environment, options: KubernetesOptions = {}) {
    this.#env = env;
    this.#copy = options.copyCredentials ?? env["SLIPWAY_COPY_CREDENTIALS"] === "1";
    this.#notice = options.notice ?? (() => {});
    this.#notes = new JobNotes(env);
    this.#output = new JobOutput(this.#notice);
  }

  async submit(program: Program): Promise<string> {
    const cluster = await this.#cluster();
    const name = newJobName(program);
    const { context, namespace } = cluster;
    // Leftovers of an interrupted submission must not keep this job from running.
    const sweep = removeAbandoned(cluster).catch(() => {});
    await this.#notes.write({ name, context, namespace, submitted: new Date().toISOString() });
    try {
      const { job, secrets } = await objectsOf(cluster, program, name, this.#copy, this.#env);
      await createOwned(cluster, job, secrets);
    } catch (error) {
      await this.#notes.remove(name);
      throw error;
    } finally {
      await sweep;
    }
    return idOf(name);
  }

  async status(id: string): Promise<JobStatus> {
    const { cluster, name, end } = await this.#find(id);
    if (end) return end;
    const observed = await this.#observe(cluster, name);
    if (observed === undefined) return this.#lost(id);
    return withReason(cluster, observed, statusOf(id, observed, await whyWithoutPod(cluster, observed)));
  }

  async isFunction(id: string): Promise<boolean> {
    const { cluster, name, end } = await this.#find(id);
    const job = end ? undefined : await this.#job(cluster, name);
    return job !== undefined && nonceOf(job) !== undefined;
  }

  async *logs(
    id: string,
    { follow, signal, item, ...shown }: ShownLog & { readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncGenerator<LogChunk> {
    const { cluster, name, end } = await this.#find(id);
    if (end) return this.#notice(deletedOutput(id));
    if (!follow) {
      const observed = await this.#observe(cluster, name);
      if (observed === undefined) {
        // Throws if the job never existed.
        await this.#lost(id);
        return this.#notice(deletedOutput(id));
      }
      requireItem(id, observed.job, item);
      for (const pod of byItem(observed.pods.filter(hasBegun), item)) {
        yield* this.#output.read(cluster, observed.job, pod, { ...shown, item, ...asItIs, signal });
      }
      return;
    }
    using following = this.#follow(cluster, name, signal);
    const { observation, waiting } = following;
    const read = new Set<string>();
    await observation.ready(signal);
    if (observation.observed) requireItem(id, observation.observed.job, item);
    for (;;) {
      // Taken before the look at the pods, so that no change is missed meanwhile.
      const change = observation.change(signal);
      const { observed } = observation;
      const next = byItem(observed?.pods ?? [], item).find((pod) => !read.has(pod.metadata.name) && hasBegun(pod));
      if (observed && next) {
        const podName = next.metadata.name;
        read.add(podName);
        const isOver = () => {
          const pod = observation.observed?.pods.find(({ metadata }) => metadata.name === podName);
          return !observation.hasPod(podName) || pod === undefined || containerState(pod).terminated !== undefined;
        };
        const options = { ...shown, item, follow, isOver, change: () => observation.change(signal), signal };
        yield* this.#output.read(cluster, observed.job, next, options);
        continue;
      }
      if (!observed || observation.isGone) return;
      if (hasEnded(statusOf(id, observed))) return await observation.settled(signal);
      if (item !== undefined && isItemOver(observed.job, item)) return;
      if (waiting.note(await troubleOf(cluster, observed, waiting))) return;
      await waiting.change(change, observed);
    }
  }

  async cancel(id: string): Promise<void> {
    const { cluster, name, end } = await this.#find(id);
    if (end) return;
    const observed = await this.#observe(cluster, name);
    if (observed === undefined || hasEnded(statusOf(id, observed))) return;
    await this.#end(id, cluster, name, { ...withoutReason(statusOf(id, observed)), state: "cancelled" });
  }

  async collect(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<JobOutcome> {
    const { cluster, name, end } = await this.#find(id);
    if (end) return { status: end };
    using following = this.#follow(cluster, name, signal);
    const { observation, waiting } = following;
    await observation.ready(signal);
    for (;;) {
      const change = observation.change(signal);
      const { observed } = observation;
      if (!observed) return { status: await this.#lost(id) };
      const status = statusOf(id, observed);
      if (hasEnded(status)) {
        await observation.settled(signal);
        return await this.#outcome(cluster, observation.observed as Observed, id, signal);
      }
      if (observation.isGone) return { status: await this.#ended(id, observed, status) };
      const trouble = waiting.note(await troubleOf(cluster, observed, waiting));
      if (trouble) {
        const failed: JobStatus = { ...status, state: "failed", reason: trouble.words };
        await this.#end(id, cluster, name, failed);
        return { status: (await this.#notes.read(name))?.end ?? failed };
      }
      await waiting.change(change, observed);
    }
  }

  async remove(id: string): Promise<void> {
    const { cluster, name, end } = await this.#find(id);
    if (!end) {
      const observed = await this.#observe(cluster, name);
      if (observed === undefined) await this.#lost(id);
      else if (!hasEnded(statusOf(id, observed))) throw stillRuns(id);
      else await deleteJob(cluster, name, "Background");
    }
    await this.#notes.remove(name);
    this.#pods.delete(name);
  }

  /** Jobs in the namespace (`isOfAll`: of all users), and jobs that this machine has ended. */
  async list(options: { readonly signal?: AbortSignal; readonly isOfAll?: boolean } = {}): Promise<ListedJob[]> {
    const { signal, isOfAll = false } = options;
    const cluster = await this.#cluster();
    const { api, context, namespace, owner } = cluster;
    const labelSelector = ownSelector(isOfAll ? undefined : owner);
    const [jobs, pods, notes] = await Promise.all([
      listAll<Job>(api, { path: jobsPath(cluster), labelSelector }, signal),
      listAll<Pod>(api, { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector }, signal),
      this.#notes.all(),
    ]);
    const userOf = ({ metadata }: Job) => metadata.labels?.[userLabel] ?? "";
    const own = jobs.items.filter((job) => userOf(job) === owner);
    await removeAbandoned(cluster, own);
    const names = new Set(jobs.items.map(({ metadata }) => metadata.name));
    const here = notes.filter(
      (note) => note.context === context && note.namespace === namespace && !names.has(note.name),
    );
    const [old = [], recent = []] = [true, false].map((isOld) =>
      here.filter(({ submitted }) => Date.parse(submitted) < Date.now() - noteTime === isOld),
    );
    await Promise.all(old.map(({ name }) => this.#notes.remove(name)));
    const podsByJob = Map.groupBy(pods.items, ({ metadata }) => metadata.labels?.[jobNameLabel]);
    const known = jobs.items.map((job) => {
      const { name } = job.metadata;
      return listed(statusOf(idOf(name), { job, pods: inOrder(podsByJob.get(name) ?? []) }), userOf(job));
    });
    const ended = recent.flatMap(({ end, ending }) => end ?? ending ?? []).map((status) => listed(status, owner));
    return [...known, ...ended].sort((one, other) => (one.submitted < other.submitted ? -1 : 1));
  }

  #cluster(where: { readonly context?: string; readonly namespace?: string } = {}): Promise<Cluster> {
    const key = JSON.stringify([where.context, where.namespace]);
    const cluster = this.#clusters.get(key) ?? openCluster(this.#env, where);
    this.#clusters.set(key, cluster);
    return cluster;
  }

  /** A job is in the cluster that this machine submitted it to, else in the chosen one. */
  async #find(id: string): Promise<{ cluster: Cluster; name: string; end?: JobStatus }> {
    const name = nameOf(id);
    const note = await this.#notes.read(name);
    const cluster = await this.#cluster(note && { context: note.context, namespace: note.namespace });
    return { cluster, name, ...(note?.end ? { end: note.end } : {}) };
  }

  async #job(cluster: Cluster, name: string): Promise<Job | undefined> {
    const job = await cluster.api.ask<Job>("GET", jobsPath(cluster, name)).catch((error) => {
      const refusal = refusalOf(error);
      if (refusal?.status === 404 && refusal.reason === "NotFound") return undefined;
      throw error;
    });
    return job && isOurs(job) ? job : undefined;
  }

  async #observe(cluster: Cluster, name: string): Promise<Observed | undefined> {
    const [job, { items }] = await Promise.all([
      this.#job(cluster, name),
      listAll<Pod>(cluster.api, podsOf(cluster, name)),
    ]);
    if (job === undefined) return undefined;
    const pods = new Map(this.#pods.get(name));
    remember(pods, items);
    return { job, pods: inOrder(pods.values()) };
  }

  async #lost(id: string): Promise<JobStatus> {
    const note = await this.#notes.read(nameOf(id));
    const known = note?.end ?? note?.ending;
    if (known) return known;
    const { context, namespace } = note ?? (await this.#cluster());
    if (note === undefined) {
      throw new UserError(
        { code: "job-not-found", culprit: id },
        `There is no job ${id} in namespace ${namespace} of cluster ${context}.`,
        "`slipway job ls` lists the jobs; SLIPWAY_KUBERNETES_CONTEXT and SLIPWAY_KUBERNETES_NAMESPACE choose another place.",
      );
    }
    const reason =
      Date.parse(note.submitted) < Date.now() - keptFor * 1000
        ? `It is not in namespace ${namespace} of cluster ${context} any more: it ended over ${keptFor / 3600} hours ago, or someone deleted it.`
        : `Its Job was deleted from namespace ${namespace} of cluster ${context}, and not with \`slipway job cancel\` on this machine.`;
    return { id, state: "failed", reason, attempts: 0, submitted: note.submitted };
  }

  async #ended(id: string, { job }: Observed, status: JobStatus): Promise<JobStatus> {
    const note = await this.#notes.read(nameOf(id));
    if (note?.end) return note.end;
    const how = job.metadata.annotations?.[endAnnotation];
    const ended = new Date().toISOString();
    if (how === cancelled) return { ...withoutReason(status), state: "cancelled", ended };
    const reason =
      how ?? "Its Job was deleted by someone while it ran, and not with `slipway job cancel`. Submit it again.";
    return { ...status, state: "failed", reason, ended };
  }

  async #end(id: string, cluster: Cluster, name: string, status: JobStatus): Promise<void> {
    const { context, namespace } = cluster;
    const note = { name, context, namespace, submitted: status.submitted };
    const late = AbortSignal.timeout(endTime);
    using observation = this.#observation(cluster, name, late);
    using _notice = heartbeat(`Waiting for the pods of job ${id} to end`, { after: patience, write: this.#notice });
    try {
      await observation.ready(late);
      if (!observation.isGone) {
        await endJob(cluster, name, status.state === "cancelled" ? cancelled : (status.reason ?? ""));
        await this.#notes.write({ ...note, ending: status });
      }
      while (!observation.isGone || observation.hasPods) await observation.change(late);
    } catch (error) {
      if (!late.aborted) throw error;
      throw new Failure(
        { code: "job-state", culprit: id },
        `Job ${id} was deleted, but its pods have not ended after ${endTime / 1000} s.`,
        "Their node does not answer: ask the cluster's administrator to restart or remove it.",
        { cause: error },
      );
    }
    await this.#notes.write({ ...note, end: { ...status, ended: new Date().toISOString() } });
  }

  /** Observes a job, and prints what it waits for and how many of its items are running and done. */
  #follow(cluster: Cluster, name: string, signal: AbortSignal | undefined) {
    const observation = this.#observation(cluster, name, signal);
    const look = () => observation.observed;
    const endItems = tellItems(this.#notice, look);
    const endWaits = tellWaits(cluster, { notice: this.#notice, look, isQuiet: () => observation.isQuiet });
    const end = () => {
      endItems();
      endWaits();
      observation[Symbol.dispose]();
    };
    return { observation, waiting: new Waiting(this.#notice), [Symbol.dispose]: end };
  }

  #observation(cluster: Cluster, name: string, signal: AbortSignal | undefined): Observation {
    const pods = this.#pods.get(name) ?? new Map<string, Pod>();
    this.#pods.set(name, pods);
    return new Observation(cluster, name, pods, signal, this.#notice);
  }

  async #outcome(cluster: Cluster, observed: Observed, id: string, signal?: AbortSignal): Promise<JobOutcome> {
    const status = await withReason(cluster, observed, statusOf(id, observed));
    if (nonceOf(observed.job) === undefined) return { status };
    const text = await this.#output.reply(cluster, observed, signal);
    const reply = text === undefined ? undefined : parseReply(text, parseExactly);
    if (reply !== undefined && !("logged" in reply)) return { status, reply };
    if (status.state !== "succeeded") return { status };
    const reason = reply ? lostResult(reply.logged) : "It ended before its function gave a result.";
    return { status: { ...status, state: "failed", exitStatus: 1, reason } };
  }
}

function listed(status: JobStatus, user: string): ListedJob {
  const name = nameOf(status.id).replace(/-[0-9a-f]{8}$/, "");
  return { ...status, name, engine: "kubernetes", user };
}

function withoutReason({ reason: _, ...status }: JobStatus): JobStatus {
  return status;
}

function deletedOutput(id: string): string {
  return `The output of job ${id} was deleted with it.`;
}
