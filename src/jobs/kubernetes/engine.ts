import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import { parseExactly } from "../../core/exact-json.ts";
import { heartbeat, patience } from "../../core/heartbeat.ts";
import { parseReply, ResultReader } from "../../core/protocol.ts";
import { refusalOf } from "../../kubernetes/api-error.ts";
import { type Cluster, openCluster } from "../../kubernetes/cluster.ts";
import { asItIs, lostResult, podLog } from "../../kubernetes/logs.ts";
import {
  containerState,
  endAnnotation,
  hasBegun,
  type Job,
  jobNameLabel,
  managedBy,
  nonceAnnotation,
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
import { maximumResult } from "../runners.ts";
import { idOf, nameOf } from "./id.ts";
import { keptFor } from "./job.ts";
import { Observation, remember } from "./observation.ts";
import { troubleOf, Waiting, whyWithoutPod, withReason } from "./reasons.ts";
import { JobNotes } from "./records.ts";
import { cancelled, inOrder, type Observed, statusOf } from "./status.ts";
import {
  allJobs,
  deleteJob,
  endJob,
  jobsPath,
  newJobName,
  ownJobs,
  podsOf,
  removeAbandoned,
  submitJob,
} from "./submit.ts";
import { byItem, ItemProgress, indexOf, isItemOver, LinePrefix, requireItem } from "./sweep.ts";
import { tellWaits } from "./waiting.ts";

/** Milliseconds that pods may take to end: beyond what they are given, a node does not answer. */
const endTime = 120_000;
/** Milliseconds for which notes of jobs that the cluster no longer has are kept. */
const noteTime = 7 * 24 * 60 * 60_000;

export interface KubernetesOptions {
  /** Whether the user's own credential for the image's registry may be copied into the cluster. Default: `SLIPWAY_COPY_CREDENTIALS` is 1. */
  readonly copyCredentials?: boolean;
  /** Told, for people, what keeps a job that is waited for. */
  readonly notice?: (text: string) => void;
}

/**
 * Runs jobs in a cluster, one Job each. The cluster has all that is known of them: whoever may look there finds them from any machine.
 * Standard output and error are one stream there.
 */
export class KubernetesEngine implements JobEngine {
  readonly #env: Environment;
  readonly #copy: boolean;
  readonly #notice: (text: string) => void;
  readonly #notes: JobNotes;
  readonly #clusters = new Map<string, Promise<Cluster>>();
  /** Result lines that came with logs, by job. */
  readonly #replies = new Map<string, string>();
  /** Pods that were seen, by job's name: what is asked later may have to be told from what they were. */
  readonly #pods = new Map<string, Map<string, Pod>>();

  constructor(env: Environment, options: KubernetesOptions = {}) {
    this.#env = env;
    this.#copy = options.copyCredentials ?? env["SLIPWAY_COPY_CREDENTIALS"] === "1";
    this.#notice = options.notice ?? (() => {});
    this.#notes = new JobNotes(env);
  }

  async submit(program: Program): Promise<string> {
    const cluster = await this.#cluster();
    const name = newJobName(program);
    const { context, namespace } = cluster;
    // Leftovers of an earlier client must not keep this job from running.
    const sweep = removeAbandoned(cluster).catch(() => {});
    await this.#notes.write({ name, context, namespace, submitted: new Date().toISOString() });
    try {
      await submitJob(cluster, program, name, this.#copy, this.#env);
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
    return job?.metadata.annotations?.[nonceAnnotation] !== undefined;
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
        await this.#lost(id);
        return this.#notice(deletedOutput(id));
      }
      requireItem(id, observed.job, item);
      for (const pod of byItem(observed.pods.filter(hasBegun), item)) {
        yield* this.#podLog(cluster, observed.job, pod, { ...shown, item, ...asItIs }, id, signal);
      }
      return;
    }
    const observation = this.#observation(cluster, name, signal);
    const waiting = new Waiting(this.#notice);
    const read = new Set<string>();
    const endNotices = this.#tellWaits(cluster, observation);
    try {
      await observation.ready(signal);
      if (observation.observed) requireItem(id, observation.observed.job, item);
      for (;;) {
        // Before a look at what is: none may be missed while something is asked about that.
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
          const options = { ...shown, item, follow, isOver, change: () => observation.change(signal) };
          yield* this.#podLog(cluster, observed.job, next, options, id, signal);
          continue;
        }
        if (!observed || observation.isGone) return;
        if (hasEnded(statusOf(id, observed))) return await observation.settled(signal);
        if (item !== undefined && isItemOver(observed.job, item)) return;
        if (waiting.note(await troubleOf(cluster, observed, waiting))) return;
        await waiting.change(change, observed);
      }
    } finally {
      endNotices();
      observation.close();
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
    const observation = this.#observation(cluster, name, signal);
    const waiting = new Waiting(this.#notice);
    const endNotices = this.#tellWaits(cluster, observation);
    try {
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
    } finally {
      endNotices();
      observation.close();
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

  /**
   * Jobs of this user in the namespace, those that were ended from this machine included.
   *
   * @param options `isOfAll`: whether those of other users are among them
   */
  async list(options: { readonly signal?: AbortSignal; readonly isOfAll?: boolean } = {}): Promise<ListedJob[]> {
    const { signal, isOfAll = false } = options;
    const cluster = await this.#cluster();
    const { api, context, namespace, owner } = cluster;
    const { path, labelSelector } = isOfAll ? allJobs(cluster) : ownJobs(cluster);
    const [jobs, pods, notes] = await Promise.all([
      listAll<Job>(api, { path, labelSelector }, signal),
      listAll<Pod>(api, { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector }, signal),
      this.#notes.all(),
    ]);
    const userOf = ({ metadata }: Job) => metadata.labels?.[userLabel] ?? "";
    await removeAbandoned(
      cluster,
      jobs.items.filter((job) => userOf(job) === owner),
    );
    const there = new Set(jobs.items.map(({ metadata }) => metadata.name));
    const here = notes.filter(
      (note) => note.context === context && note.namespace === namespace && !there.has(note.name),
    );
    const isOld = ({ submitted }: { submitted: string }) => Date.parse(submitted) < Date.now() - noteTime;
    await Promise.all(here.filter(isOld).map(({ name }) => this.#notes.remove(name)));
    const known = jobs.items.map((job) => {
      const { name } = job.metadata;
      const own = pods.items.filter(({ metadata }) => metadata.labels?.[jobNameLabel] === name);
      return listed(statusOf(idOf(name), { job, pods: inOrder(own) }), userOf(job));
    });
    const ended = here
      .flatMap((note) => (isOld(note) ? [] : (note.end ?? note.ending ?? [])))
      .map((status) => listed(status, owner));
    return [...known, ...ended].sort((one, other) => (one.submitted < other.submitted ? -1 : 1));
  }

  #cluster(where: { readonly context?: string; readonly namespace?: string } = {}): Promise<Cluster> {
    const key = JSON.stringify([where.context, where.namespace]);
    const cluster = this.#clusters.get(key) ?? openCluster(this.#env, where);
    this.#clusters.set(key, cluster);
    return cluster;
  }

  /** Where a job is: where it was submitted from here, else in the cluster that is chosen. */
  async #find(id: string): Promise<{ cluster: Cluster; name: string; end?: JobStatus }> {
    const name = nameOf(id);
    const note = await this.#notes.read(name);
    const cluster = await this.#cluster(note && { context: note.context, namespace: note.namespace });
    return { cluster, name, ...(note?.end ? { end: note.end } : {}) };
  }

  async #job(cluster: Cluster, name: string): Promise<Job | undefined> {
    const job = await cluster.api.ask<Job>("GET", jobsPath(cluster, name)).catch((error) => {
      if (refusalOf(error)?.status === 404 && refusalOf(error)?.reason === "NotFound") return undefined;
      throw error;
    });
    const isOurs = Object.entries(managedBy).every(([label, value]) => job?.metadata.labels?.[label] === value);
    return isOurs ? job : undefined;
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

  /** What became of a job that the cluster does not have. */
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

  /** What became of a job that was deleted while it was watched. */
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

  /** Deletes a job, waits until nothing of it is left, and notes how it ended. */
  async #end(id: string, cluster: Cluster, name: string, status: JobStatus): Promise<void> {
    const { context, namespace } = cluster;
    const note = { name, context, namespace, submitted: status.submitted };
    const late = AbortSignal.timeout(endTime);
    const observation = this.#observation(cluster, name, late);
    const endNotice = heartbeat(`Waiting for the pods of job ${id} to end`, { after: patience, write: this.#notice });
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
    } finally {
      endNotice();
      observation.close();
    }
    await this.#notes.write({ ...note, end: { ...status, ended: new Date().toISOString() } });
  }

  /** Tells of a job what it waits for, and how many of its items are where. */
  #tellWaits(cluster: Cluster, observation: Observation): () => void {
    const look = () => observation.observed;
    const progress = new ItemProgress(this.#notice, look);
    const end = tellWaits(cluster, { notice: this.#notice, look, isQuiet: () => observation.isQuiet });
    return () => {
      progress.close();
      end();
    };
  }

  #observation(cluster: Cluster, name: string, signal: AbortSignal | undefined): Observation {
    const pods = this.#pods.get(name) ?? new Map<string, Pod>();
    this.#pods.set(name, pods);
    return new Observation(cluster, name, pods, signal, this.#notice);
  }

  async #outcome(cluster: Cluster, observed: Observed, id: string, signal?: AbortSignal): Promise<JobOutcome> {
    const status = await withReason(cluster, observed, statusOf(id, observed));
    if (observed.job.metadata.annotations?.[nonceAnnotation] === undefined) return { status };
    const text = await this.#reply(cluster, observed, id, signal);
    const reply = text === undefined ? undefined : parseReply(text, parseExactly);
    if (reply !== undefined && !("logged" in reply)) return { status, reply };
    if (status.state !== "succeeded") return { status };
    const reason = reply ? lostResult(reply.logged) : "It ended before its function gave a result.";
    return { status: { ...status, state: "failed", exitStatus: 1, reason } };
  }

  /** The result of a function: in its pod's last words where it is short, else in the log. The last words say so where the log lost it. */
  async #reply(
    cluster: Cluster,
    { job, pods }: Observed,
    id: string,
    signal?: AbortSignal,
  ): Promise<string | undefined> {
    const last = pods.at(-1);
    if (last === undefined) return undefined;
    const reader = resultReader(job, () => {});
    reader.write(Buffer.from(containerState(last).terminated?.message ?? ""));
    const words = reader.end();
    if (words !== undefined && !words.startsWith('{"logged"')) return words;
    if (this.#replies.has(id)) return this.#replies.get(id);
    for await (const _ of this.#podLog(cluster, job, last, asItIs, id, signal)) {
      // The result is what matters here.
    }
    return this.#replies.get(id) ?? words;
  }

  /** What one attempt printed; a result line in it is kept. */
  async *#podLog(
    cluster: Cluster,
    job: Job,
    pod: Pod,
    options: Omit<Parameters<typeof podLog>[2], "signal"> & Pick<ShownLog, "item">,
    id: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LogChunk> {
    const place = { namespace: cluster.namespace, name: pod.metadata.name };
    const isFunction = job.metadata.annotations?.[nonceAnnotation] !== undefined;
    // A result line that has a time before it is not known as one.
    const timestamps = options.timestamps && !isFunction;
    const log = podLog(cluster.api, place, { ...options, timestamps, ...(signal ? { signal } : {}) });
    const index = options.item === undefined ? indexOf(pod) : undefined;
    const prefix = index === undefined ? undefined : new LinePrefix(`[${index}] `);
    const other: Buffer[] = [];
    const reader = isFunction ? resultReader(job, (data) => other.push(data)) : undefined;
    for (;;) {
      const { done, value } = await log.next();
      if (done) {
        if (!value) this.#notice(`The last output of pod ${pod.metadata.name} was deleted with it.`);
        break;
      }
      if (reader) reader.write(value);
      else other.push(prefix?.write(value) ?? value);
      for (const data of other.splice(0)) yield { stream: "stdout", data };
    }
    if (prefix) other.push(prefix.end());
    const reply = reader?.end();
    if (reply !== undefined) this.#replies.set(id, reply);
    for (const data of other) yield { stream: "stdout", data };
  }
}

function resultReader(job: Job, other: (data: Buffer) => void): ResultReader {
  return new ResultReader(job.metadata.annotations?.[nonceAnnotation] ?? "", maximumResult + 64 * 1024, other);
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
