import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../core/errors.ts";
import { parseExactly } from "../core/exact-json.ts";
import { type LoggedReply, parseReply, type Reply, ResultReader } from "../core/protocol.ts";
import { podTrouble } from "../jobs/kubernetes/reasons.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { jobFailure, podFailure, type Trouble, waitingTrouble, wasLost } from "../kubernetes/failure.ts";
import { asItIs, lostResult, podLog } from "../kubernetes/logs.ts";
import {
  conditionOf,
  containerName,
  containerState,
  containerStatuses,
  indexAnnotation,
  type Job,
  type Pod,
} from "../kubernetes/objects.ts";
import {
  type CallBatch,
  type CallListener,
  type CallOutcome,
  isFine,
  maximumReply,
  nameOf,
  outputOf,
  retryNotice,
} from "./calls.ts";

const logsAtOnce = 4;
/** Logs of other pods are read when they have ended. */
const followedAtOnce = 64;
/** Milliseconds to read the log of an ended call whose result is known. */
const logTime = 10_000;
/** Milliseconds without a change after which a created container will never start. */
const startTime = 120_000;

/** A short result is in the pod's status, which costs no request, a long one in the log. */
export class PodResults {
  readonly #cluster: Cluster;
  readonly #nonce: string;
  readonly #listener: CallListener;
  readonly #signal: AbortSignal;
  readonly #isOpen: Set<number>;
  readonly #batch: CallBatch;
  readonly #isSingle: boolean;
  /** Calls that run again. */
  readonly #failures = new Map<number, { readonly count: number; readonly last: CallOutcome }>();
  /** Calls whose pods were deleted or lost with their nodes. The job controller may count that as a failure. */
  readonly #lost = new Set<number>();
  readonly #seen = new Set<string>();
  readonly #begun = new Set<string>();
  readonly #followed = new Map<
    string,
    { isOver: boolean; readonly wake: () => void; readonly reply: Promise<Reply | undefined> }
  >();
  readonly #waiting: (() => Promise<void>)[] = [];
  #reading = 0;
  #underWay = 0;
  #following = 0;
  #unshown = 0;
  #isClosed: Job | undefined;
  readonly #done = Promise.withResolvers<readonly number[]>();
  /** Settles with the calls that have lost their pods, when the others have an outcome. */
  readonly done = this.#done.promise;
  hasBegun = false;
  #changed = 0;
  #isStuck = false;

  constructor(cluster: Cluster, nonce: string, batch: CallBatch, listener: CallListener, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#nonce = nonce;
    this.#batch = batch;
    this.#listener = listener;
    this.#signal = signal;
    this.#isOpen = new Set(batch.inputs.keys());
    this.#isSingle = batch.inputs.length === 1 && batch.labels === undefined;
  }

  see(pods: readonly Pod[]): void {
    this.#changed = Date.now();
    const active = pods.filter((pod) => !hasEnded(pod));
    this.#isStuck = active.length > 0 && active.every(isUnstarted);
    for (const pod of pods) {
      const { name, deletionTimestamp } = pod.metadata;
      if (this.#seen.has(name)) continue;
      // A pod that is deleted at once may never be seen to end.
      if (deletionTimestamp !== undefined) this.#lost.add(indexOf(pod));
      const { running, terminated } = containerState(pod);
      if (running || terminated) {
        this.hasBegun = true;
        if (!this.#begun.has(name)) this.#listener.onStart?.(indexOf(pod), placeOf(pod));
        this.#begun.add(name);
        const isFollowed = this.#batch.labels !== undefined && running && this.#following < followedAtOnce;
        if (this.#isSingle || isFollowed) this.#follow(pod);
      }
      if (!terminated && pod.status?.phase !== "Failed") continue;
      this.#seen.add(name);
      this.#ended(pod);
    }
  }

  async trouble(pods: Iterable<Pod>): Promise<Trouble | undefined> {
    const pod = this.hasBegun ? undefined : [...pods].find((each) => waitingTrouble(each));
    const found = pod && (await podTrouble(this.#cluster, pod));
    return this.hasBegun ? undefined : found;
  }

  /** If a node restarts between a container's creation and its start, Kubernetes neither starts nor ends it. */
  giveUp(): void {
    const isLate = Date.now() - this.#changed > startTime;
    if (this.#isStuck && isLate && this.#underWay === 0) this.#done.resolve([...this.#isOpen]);
  }

  /** Calls without a pod that explains their end have failed. */
  close(job: Job): void {
    this.#isClosed = job;
    this.#settleRest();
  }

  #ended(pod: Pod): void {
    const index = indexOf(pod);
    const followed = this.#followed.get(pod.metadata.name);
    if (followed) {
      followed.isOver = true;
      followed.wake();
    }
    if (!this.#isOpen.has(index)) return;
    const { terminated } = containerState(pod);
    const reader = new ResultReader(this.#nonce, maximumReply, () => {});
    reader.write(Buffer.from(terminated?.message ?? ""));
    const answer = this.#parse<Reply | LoggedReply>(reader.end());
    const logged = answer && "logged" in answer ? answer.logged : undefined;
    const reply = answer && "logged" in answer ? undefined : answer;
    if (reply && this.#batch.labels !== undefined) {
      this.#unshown += 1;
      this.#later(() => this.#show(index, followed?.reply ?? this.#read(pod, asItIs)));
      this.#settle(index, pod, reply);
    } else if (followed) {
      // The program's output comes before its result.
      this.#later(() => this.#settleByLog(index, pod, followed.reply, { reply, logged }));
    } else if (reply) this.#settle(index, pod, reply);
    // The job controller replaces a pod that its node gave up, unless it has a result.
    else if (terminated) this.#later(() => this.#settleByLog(index, pod, this.#read(pod, asItIs), { logged }));
    else this.#settle(index, pod, undefined);
  }

  /** Waits, because the log is deleted with the Job. */
  async #show(index: number, log: Promise<unknown>): Promise<void> {
    const isRead = log.then(
      () => true,
      () => false,
    );
    const late = delay(logTime, false, { signal: this.#signal }).catch(() => true);
    if (!(await Promise.race([isRead, late])))
      void this.#listener.onOutput(Buffer.from(`slipway: ${nameOf(this.#batch, index)}: its log cannot be read\n`));
    this.#unshown -= 1;
    this.#finish();
  }

  /** `known` is the reply, or its size, from the pod's status. */
  async #settleByLog(
    index: number,
    pod: Pod,
    log: Promise<Reply | undefined>,
    { reply: known, logged }: { readonly reply?: Reply | undefined; readonly logged?: number | undefined },
  ): Promise<void> {
    try {
      const inLog = await log;
      const reply = known ?? inLog;
      if (reply === undefined && logged !== undefined) {
        if (this.#isOpen.has(index)) this.#tell(index, { status: 1, reason: reasonOf(lostResult(logged)) });
      } else this.#settle(index, pod, reply);
    } catch (error) {
      // Its node may be gone, which must not fail other calls.
      if (!(error instanceof Failure)) throw error;
      if (known === undefined && (isRemade(pod) || wasLost(pod))) return this.#settle(index, pod, undefined);
      const reason = { problem: `Its result cannot be read. ${error.problem}`, remedy: "Call it again." };
      if (this.#isOpen.has(index)) this.#tell(index, known ? { reply: known } : { status: 1, reason });
    }
  }

  #settle(index: number, pod: Pod, reply: Reply | undefined): void {
    if (!this.#isOpen.has(index)) return;
    const outcome = reply ? { reply } : failureOf(pod);
    const count = (this.#failures.get(index)?.count ?? 0) + 1;
    if (reply === undefined && (isRemade(pod) || wasLost(pod))) {
      if (!isRemade(pod)) this.#lost.add(index);
    } else if (isFine(outcome) || count > (this.#batch.retries ?? 0)) this.#tell(index, outcome);
    else {
      this.#failures.set(index, { count, last: outcome });
      void this.#listener.onOutput(retryNotice(this.#batch, index, count));
    }
    this.#settleRest();
  }

  #tell(index: number, outcome: CallOutcome): void {
    this.#isOpen.delete(index);
    this.#listener.onOutcome(index, outcome);
    this.#finish();
  }

  #finish(): void {
    if (this.#isOpen.size === 0 && this.#unshown === 0) this.#done.resolve([]);
  }

  #settleRest(): void {
    if (this.#isClosed === undefined || this.#underWay > 0 || this.#isOpen.size === 0) return;
    const failed = conditionOf(this.#isClosed, "Failed");
    const isLost = (index: number) => this.#lost.has(index) && failed?.reason !== "DeadlineExceeded";
    const lost = [...this.#isOpen].filter(isLost);
    const words =
      jobFailure(this.#isClosed, undefined) || "Its pod was deleted before its result was read. Call it again.";
    const failure = { status: 1, reason: reasonOf(words) };
    for (const index of this.#isOpen) {
      if (!isLost(index)) this.#tell(index, this.#failures.get(index)?.last ?? failure);
    }
    this.#done.resolve(lost);
  }

  #later(work: () => Promise<void>): void {
    this.#underWay += 1;
    this.#waiting.push(work);
    this.#next();
  }

  #next(): void {
    const work = this.#reading < logsAtOnce ? this.#waiting.shift() : undefined;
    if (work === undefined) return;
    this.#reading += 1;
    work()
      .catch((error) => this.#done.reject(error))
      .finally(() => {
        this.#reading -= 1;
        this.#underWay -= 1;
        this.#settleRest();
        this.#next();
      });
  }

  #follow(pod: Pod): void {
    const { name } = pod.metadata;
    if (this.#followed.has(name)) return;
    const { promise: end, resolve: wake } = Promise.withResolvers<void>();
    const options = { follow: true, isOver: () => this.#followed.get(name)?.isOver ?? false, change: () => end };
    const entry = { isOver: false, wake, reply: Promise.resolve().then(() => this.#read(pod, options)) };
    this.#following += 1;
    const count = () => {
      this.#following -= 1;
    };
    entry.reply.then(count, count);
    this.#followed.set(name, entry);
  }

  async #read(pod: Pod, options: typeof asItIs): Promise<Reply | undefined> {
    const { api, namespace } = this.#cluster;
    const output = outputOf(this.#batch, indexOf(pod), this.#listener.onOutput);
    const reader = new ResultReader(this.#nonce, maximumReply, output.write);
    try {
      const { name } = pod.metadata;
      for await (const piece of podLog(api, { namespace, name }, { ...options, signal: this.#signal })) {
        await reader.write(piece);
      }
      return this.#parse(reader.end());
    } finally {
      await output.end();
    }
  }

  #parse<Answer = Reply>(text: string | undefined): Answer | undefined {
    return text === undefined
      ? undefined
      : (parseReply(text, this.#listener.handsOn ? parseExactly : JSON.parse) as Answer);
  }
}

/** The job controller replaces such a pod without counting a failure. */
function isRemade(pod: Pod): boolean {
  return conditionOf(pod, "DisruptionTarget") !== undefined;
}

function hasEnded(pod: Pod): boolean {
  return /^(Succeeded|Failed)$/.test(pod.status?.phase ?? "") || containerState(pod).terminated !== undefined;
}

function isUnstarted(pod: Pod): boolean {
  const status = containerStatuses(pod).find(({ name }) => name === containerName);
  return Boolean(status?.imageID && status.state?.waiting && !status.state.waiting.reason);
}

function indexOf(pod: Pod): number {
  return Number(pod.metadata.labels?.[indexAnnotation]);
}

function failureOf(pod: Pod): CallOutcome {
  const status = containerState(pod).terminated?.exitCode ?? 1;
  const words = podFailure(pod);
  return words === undefined ? { status } : { status, reason: reasonOf(words) };
}

function reasonOf(words: string): { readonly problem: string; readonly remedy: string } {
  const [problem, remedy] = sentences(words);
  return { problem, remedy };
}

/** Splits a text of two sentences, of which the second says what to do. */
export function sentences(words: string): [problem: string, remedy: string] {
  const end = words.search(/\. (?=[A-Z`])/);
  return end < 0 ? [words, "Look at what it printed above."] : [words.slice(0, end + 1), words.slice(end + 2)];
}

function placeOf({ metadata, spec }: Pod): string {
  return spec.nodeName ? `${metadata.name} on ${spec.nodeName}` : metadata.name;
}
