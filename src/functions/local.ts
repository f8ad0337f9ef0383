import { randomBytes } from "node:crypto";
import type { ContainerClient } from "../containers/client.ts";
import { LoginSource } from "../containers/login.ts";
import { isOnThisMachine } from "../containers/reach.ts";
import { type ContainerRunOptions, runContainer } from "../containers/run.ts";
import type { Run } from "../containers/run-description.ts";
import { requireInPlace, volumeMounts } from "../containers/volumes.ts";
import type { Environment } from "../core/environment.ts";
import { parseExactly } from "../core/exact-json.ts";
import type { Sink } from "../core/flow.ts";
import { callVariable, filesVariable, nonceVariable, parseReply, type Reply, ResultReader } from "../core/protocol.ts";
import { timeLimitSignal } from "../core/time-limit.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { resolveVariables } from "../secrets/variables.ts";
import {
  type CallBatch,
  type CallEngine,
  type CallListener,
  type CallOutcome,
  isFine,
  maximumReply,
  outputOf,
  retryNotice,
} from "./calls.ts";
import { pool, roomHere } from "./pool.ts";
import { runProcess } from "./run-process.ts";

type RunOne = (run: Run, signal: AbortSignal, onStderr: Sink) => Promise<number>;

const filesFolder = "/slipway/files";

async function runEach(
  batch: CallBatch,
  files: string | undefined,
  listener: CallListener,
  runOne: RunOne,
): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(listener.signal ? [listener.signal] : [])]);
  const attempt = async (index: number): Promise<CallOutcome> => {
    const nonce = randomBytes(16).toString("hex");
    const stdout = outputOf(batch, index, listener.onOutput);
    const stderr = outputOf(batch, index, listener.onOutput);
    const reader = new ResultReader(nonce, maximumReply, stdout.write);
    const run: Run = {
      programArguments: batch.programArguments,
      env: {
        ...batch.env,
        [callVariable]: batch.name,
        [nonceVariable]: nonce,
        ...(files === undefined ? {} : { [filesVariable]: files }),
      },
      stdin: `${batch.inputs[index]}\n`,
      holdsStdin: true,
      onStdout: (chunk) => reader.write(chunk),
    };
    const { timeLimit } = batch;
    listener.onStart?.(index);
    const late = timeLimit === undefined ? undefined : timeLimitSignal(timeLimit);
    const status = await runOne(run, late ? AbortSignal.any([signal, late]) : signal, stderr.write).catch((error) => {
      failed.abort();
      throw error;
    });
    const reply = reader.end();
    for (const output of [stdout, stderr]) await output.end();
    if (!late?.aborted) return outcomeOf(reply, status, listener);
    const problem = `It took longer than its time limit of ${timeLimit} s.`;
    return { status, reason: { problem, remedy: "Give it more time, or less to do." } };
  };
  const call = async (index: number) => {
    for (let failures = 1; ; failures += 1) {
      const outcome = await attempt(index);
      if (signal.aborted) return;
      if (isFine(outcome) || failures > (batch.retries ?? 0)) {
        listener.onOutcome(index, outcome);
        return;
      }
      await listener.onOutput(retryNotice(batch, index, failures));
    }
  };
  await pool(batch.inputs.length, batch.parallelism ?? roomHere(batch.resources), call, signal);
  listener.signal?.throwIfAborted();
}

async function withSecrets(batch: CallBatch, env: Environment): Promise<CallBatch> {
  const { values } = await resolveVariables(batch.env, [new LocalSecrets(env)]);
  return { ...batch, env: values };
}

function outcomeOf(reply: string | undefined, status: number, { handsOn = false }: CallListener): CallOutcome {
  return reply === undefined ? { status } : { reply: parseReply(reply, handsOn ? parseExactly : JSON.parse) as Reply };
}

export class ProcessCalls implements CallEngine {
  readonly kind = "process";

  async run(batch: CallBatch, listener: CallListener): Promise<void> {
    await requireInPlace(batch.volumes ?? {});
    const isAlone = batch.inputs.length === 1 && batch.labels === undefined;
    await runEach(await withSecrets(batch, process.env), batch.files, listener, (run, signal, onStderr) =>
      runProcess(run, { signal, ...(isAlone ? {} : { onStderr }) }),
    );
  }
}

interface ImageAccess {
  readonly pull: NonNullable<ContainerRunOptions["pull"]>;
  readonly allow: (image: string) => Promise<RunnableImage>;
}

export class ContainerCalls implements CallEngine {
  readonly kind = "container";
  readonly #client: ContainerClient;
  readonly #env: Environment;
  readonly #access: ImageAccess;

  constructor(client: ContainerClient, env: Environment, access: ImageAccess) {
    this.#client = client;
    this.#env = env;
    this.#access = access;
  }

  async run(batch: CallBatch, listener: CallListener): Promise<void> {
    const { network, resources, volumes = {} } = batch;
    const image = await this.#access.allow(batch.image ?? "");
    const mounts = await volumeMounts(volumes, this.#client, this.#env);
    const logins = new LoginSource(image);
    // The first call pulls the image. Without this, several would.
    let first: Promise<void> | undefined;
    // An engine on another machine does not see the folder.
    const files = batch.files !== undefined && isOnThisMachine(this.#client, this.#env) ? batch.files : undefined;
    if (files !== undefined) mounts.push({ source: files, target: filesFolder, isWritable: true });
    const seen = files === undefined ? undefined : filesFolder;
    await runEach(await withSecrets(batch, this.#env), seen, listener, async (run, signal, onStderr) => {
      const begun = Promise.withResolvers<void>();
      const before = first;
      first ??= begun.promise;
      await before;
      try {
        const login = await logins.current();
        const container = { ...run, image, network, resources, mounts };
        const { pull } = this.#access;
        const options = { env: this.#env, pull, signal, onStderr, onCreated: begun.resolve, ...(login && { login }) };
        return await runContainer(this.#client, container, options);
      } finally {
        begun.resolve();
      }
    });
  }
}
