import { setTimeout as delay } from "node:timers/promises";
import { Backoff } from "../core/back-off.ts";
import { UserError } from "../core/errors.ts";
import { refusalOf } from "../kubernetes/api-error.ts";
import type { Cluster } from "../kubernetes/cluster.ts";
import { podFailure, wasLost } from "../kubernetes/failure.ts";
import { asItIs, podLog } from "../kubernetes/logs.ts";
import {
  conditionOf,
  containerName,
  containerState,
  containerStatuses,
  hasBegun,
  type Pod,
} from "../kubernetes/objects.ts";
import { connectPod, type PodConnection } from "../kubernetes/pod-connection.ts";
import { grace } from "./running-workers.ts";
import type { Worker, WorkerEnd, WorkerListener } from "./worker.ts";
import { workerPort } from "./worker-job.ts";

/** For a worker that does not listen yet, or whose connection broke. Times are milliseconds. */
const policy = { attempts: Number.POSITIVE_INFINITY, firstDelay: 50, maximumDelay: 2000 };
/** Milliseconds without a change after which a created container will never start. */
const startTime = 120_000;
/** Milliseconds to read what a failed worker printed, and how many of its last lines. */
const logTime = 10_000;
const lastLines = 100;
/** Milliseconds for a deleted pod to end. After that, its node does not answer. */
const endTime = 120_000;
/** The exit status of a worker to which nobody connects, and of one whose pod was deleted. */
const abandoned = 129;
const terminated = 143;

interface Owner {
  readonly cluster: Cluster;
  /** Deletes the worker's pod. Settles before that has ended, with false if it is not going to. */
  stop(worker: PodWorker): Promise<boolean>;
  /** Ends all workers of the group. */
  fail(error: unknown): void;
  onEnd(worker: PodWorker): void;
}

/** A worker in a pod. The owner tells what happens to the pod. */
export class PodWorker implements Worker {
  readonly #owner: Owner;
  readonly #listener: WorkerListener;
  readonly #over = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #connection: PodConnection | undefined;
  #isConnecting = false;
  #isClosing = false;
  #isEnding = false;
  #unstartedSince: number | undefined;
  /** Of its Job. */
  token = "";
  pod: Pod | undefined;
  isStopping = false;
  hasBegun = false;
  readonly ended = this.#ended.promise;

  constructor(owner: Owner, listener: WorkerListener) {
    this.#owner = owner;
    this.#listener = listener;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** It is neither running nor about to end. */
  get isWaiting(): boolean {
    return !this.hasBegun && !this.isOver;
  }

  readonly write = (data: Buffer): void | Promise<void> => this.#connection?.write(data);

  readonly close = (): void => {
    this.#isClosing = true;
    if (this.#connection === undefined) this.end({ status: 0 });
    else void delay(grace, undefined, { ref: false }).then(() => (this.isOver ? undefined : this.stop()));
  };

  readonly stop = async (): Promise<void> => {
    if (this.isOver) return;
    if (!this.isStopping) {
      this.isStopping = true;
      void this.#owner.stop(this).then((isDeleted) => {
        const time = isDeleted && this.pod !== undefined ? endTime : 0;
        setTimeout(() => this.end({ status: terminated }), time).unref();
      });
    }
    await this.ended;
  };

  see(pod: Pod): void {
    const isSame = pod.metadata.resourceVersion === this.pod?.metadata.resourceVersion;
    if (this.isOver || this.#isEnding || isSame) return;
    this.pod = pod;
    this.#unstartedSince = isUnstarted(pod) ? (this.#unstartedSince ?? Date.now()) : undefined;
    if (hasBegun(pod) && !this.hasBegun) {
      this.hasBegun = true;
      this.#listener.onStart(placeOf(pod));
    }
    const state = containerState(pod);
    if (state.terminated || /^(Succeeded|Failed)$/.test(pod.status?.phase ?? "")) void this.#finish(pod);
    else if (pod.metadata.deletionTimestamp !== undefined) this.#disappear();
    else if (state.running && !this.#isConnecting) void this.#keepConnected(pod.metadata.name);
  }

  /** Its pod is gone, or never was. */
  gone(): void {
    if (!this.#isEnding) this.end(this.isStopping ? { status: terminated } : lost);
  }

  /** If a node restarts between a container's creation and its start, Kubernetes neither starts nor ends it. */
  giveUp(): void {
    if (this.#unstartedSince !== undefined && Date.now() - this.#unstartedSince > startTime) this.gone();
  }

  end(end: WorkerEnd): void {
    if (this.isOver) return;
    this.#over.abort();
    this.#connection?.close();
    this.#connection = undefined;
    this.#listener.onEnd(end);
    this.#owner.onEnd(this);
    this.#ended.resolve();
  }

  /** A pod that is being deleted may go on for a while. That of a lost node is never seen to end. */
  #disappear(): void {
    if (this.#connection === undefined) this.gone();
  }

  /** Connects to the pod, and again as long as it runs. */
  async #keepConnected(pod: string): Promise<void> {
    this.#isConnecting = true;
    const { cluster } = this.#owner;
    const { signal } = this.#over;
    const backoff = new Backoff(policy);
    const place = { namespace: cluster.namespace, pod, port: workerPort };
    const onData = (chunk: Buffer) => {
      backoff.reset();
      return this.isOver ? undefined : this.#listener.onData(chunk);
    };
    let refusals = 0;
    while (!this.isOver) {
      try {
        const connection = await connectPod(cluster.api, place, onData);
        if (this.isOver) return connection.close();
        this.#connection = connection;
        refusals = 0;
        this.#listener.onConnect(this.token);
        await connection.closed;
      } catch (error) {
        refusals += 1;
        // A credential that has expired is renewed.
        const mayPass = refusalOf(error)?.status === 401 && refusals === 1;
        if (error instanceof UserError && !mayPass) return this.#owner.fail(error);
      }
      this.#connection = undefined;
      if (this.isOver || this.#isEnding) return;
      // It ends after its last reply.
      if (this.#isClosing) return this.end({ status: 0 });
      if (this.pod?.metadata.deletionTimestamp !== undefined) return this.#disappear();
      await backoff.wait({ signal }).catch(() => {});
    }
  }

  async #finish(pod: Pod): Promise<void> {
    this.#isEnding = true;
    const status = containerState(pod).terminated?.exitCode ?? 1;
    if (this.isStopping) return this.end({ status });
    const isAbandoned = status === abandoned && this.#connection === undefined;
    if (isAbandoned || conditionOf(pod, "DisruptionTarget") || wasLost(pod)) return this.end({ ...lost, status });
    if (status !== 0) await this.#showLog(pod.metadata.name);
    const words = podFailure(pod);
    const [problem, remedy] = sentences(words ?? "");
    this.end({ status, ...(words === undefined ? {} : { reason: { problem, remedy } }) });
  }

  /** Shows what a failed worker printed last, except for what its calls printed: that came with them. */
  async #showLog(name: string): Promise<void> {
    const { api, namespace } = this.#owner.cluster;
    const signal = AbortSignal.any([this.#over.signal, AbortSignal.timeout(logTime)]);
    const pieces: Buffer[] = [];
    try {
      for await (const piece of podLog(api, { namespace, name }, { ...asItIs, tail: lastLines, signal })) {
        pieces.push(piece);
      }
    } catch {
      // How it ended matters more. Its node may not answer, or the user may not read logs.
    }
    const lines = Buffer.concat(pieces)
      .toString()
      .split(/(?<=\n)/);
    const own = lines.filter((line) => !/^\[\S+ \d+\] /.test(line)).join("");
    if (own !== "" && !this.isOver) await this.#listener.onOutput(Buffer.from(own));
  }
}

const lost: WorkerEnd = {
  status: terminated,
  isLost: true,
  reason: {
    problem: "Its pod was deleted or lost with its node.",
    remedy: "Find out who deletes it, then call it again.",
  },
};

function isUnstarted(pod: Pod): boolean {
  const status = containerStatuses(pod).find(({ name }) => name === containerName);
  return Boolean(status?.imageID && status.state?.waiting && !status.state.waiting.reason);
}

function placeOf({ metadata, spec }: Pod): string {
  return spec.nodeName ? `${metadata.name} on ${spec.nodeName}` : metadata.name;
}

/** Splits a text of two sentences, of which the second says what to do. */
export function sentences(words: string): [problem: string, remedy: string] {
  const end = words.search(/\. (?=[A-Z`])/);
  return end < 0 ? [words, "Look at what it printed above."] : [words.slice(0, end + 1), words.slice(end + 2)];
}
