import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerClient } from "../containers/client.ts";
import { LoginSource } from "../containers/login.ts";
import { pullWithAccess } from "../containers/pull.ts";
import { isOnThisMachine } from "../containers/reach.ts";
import { runContainer } from "../containers/run.ts";
import type { ContainerRun } from "../containers/run-description.ts";
import { volumeMounts } from "../containers/volumes.ts";
import type { Environment } from "../core/environment.ts";
import { Failure, messageOf, UserError } from "../core/errors.ts";
import { writeTo } from "../core/flow.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { resolveVariables } from "../secrets/variables.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { protocolVersion } from "./frames.ts";
import { ended, grace } from "./process-workers.ts";
import { roomHere } from "./room.ts";
import type { Worker, WorkerEngine, WorkerGroup, WorkerListener, WorkerSpec } from "./worker.ts";
import { workerVariables } from "./worker-variables.ts";

const filesFolder = "/slipway/files";

/** Workers in containers of podman or docker. The channel is the container's standard input and output. */
export class ContainerWorkers implements WorkerEngine {
  readonly kind = "container";
  readonly #client: ContainerClient;
  readonly #env: Environment;
  readonly #files: string | undefined;

  constructor(client: ContainerClient, env: Environment, files: string | undefined) {
    this.#client = client;
    this.#env = env;
    // An engine on another machine does not see the folder.
    this.#files = isOnThisMachine(client, env) ? files : undefined;
  }

  room({ resources }: WorkerSpec): number {
    return roomHere(resources);
  }

  async open(spec: WorkerSpec): Promise<WorkerGroup> {
    const { network, resources, volumes = {}, programArguments } = spec;
    const image = await runnableImage(spec.image ?? "", this.#env);
    const mounts = await volumeMounts(volumes, this.#client, this.#env);
    const { values } = await resolveVariables(spec.env, [new LocalSecrets(this.#env)]);
    if (this.#files !== undefined) mounts.push({ source: this.#files, target: filesFolder, isWritable: true });
    const env = {
      ...values,
      [workerVariables.version]: String(protocolVersion),
      [workerVariables.channel]: "stdio",
      ...(this.#files === undefined ? {} : { [workerVariables.files]: filesFolder }),
    };
    const logins = new LoginSource(image);
    // The first one pulls the image. Without this, several would.
    let first: Promise<void> | undefined;
    const running = new Set<Promise<unknown>>();
    const start = (listener: WorkerListener): Worker => {
      const over = new AbortController();
      let input: Writable | undefined;
      const run: Omit<ContainerRun, "image"> = {
        ...{ network, resources, mounts, programArguments, env },
        onStdin: (stdin) => {
          input = stdin;
          listener.onConnect();
        },
        onStdout: listener.onData,
      };
      const begin = async (): Promise<number> => {
        const begun = Promise.withResolvers<void>();
        const before = first;
        first ??= begun.promise;
        await before;
        try {
          const login = await logins.current();
          const onCreated = () => {
            listener.onStart();
            begun.resolve();
          };
          const pull = (name: string) => pullWithAccess(this.#client, name, this.#env);
          const options = { env: this.#env, pull, signal: over.signal, onStderr: listener.onOutput, onCreated };
          return await runContainer(this.#client, { ...run, image }, { ...options, ...(login && { login }) });
        } finally {
          begun.resolve();
        }
      };
      const closed = begin().then(
        (status) => listener.onEnd({ status }),
        (error: unknown) => listener.onEnd({ status: 1, reason: reasonOf(error), cause: error }),
      );
      running.add(closed);
      void closed.finally(() => running.delete(closed));
      const stop = async () => {
        over.abort();
        await closed;
      };
      return {
        write: (data) => (input ? writeTo(input, data) : undefined),
        close: () =>
          void delay(grace, undefined, { ref: false }).then(() => (running.has(closed) ? stop() : undefined)),
        stop,
      };
    };
    return { start, close: () => ended(running) };
  }
}

function reasonOf(error: unknown): { readonly problem: string; readonly remedy: string } {
  if (error instanceof UserError || error instanceof Failure) return { problem: error.problem, remedy: error.remedy };
  return { problem: messageOf(error), remedy: "Try again." };
}
