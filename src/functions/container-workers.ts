import type { Writable } from "node:stream";
import type { ContainerClient } from "../containers/client.ts";
import { LoginSource } from "../containers/login.ts";
import { pullWithAccess } from "../containers/pull.ts";
import { isOnThisMachine } from "../containers/reach.ts";
import { runContainer } from "../containers/run.ts";
import type { ContainerRun } from "../containers/run-description.ts";
import { volumeMounts } from "../containers/volumes.ts";
import type { Environment } from "../core/environment.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { resolveVariables } from "../secrets/variables.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { protocolVersion } from "./frames.ts";
import { roomHere } from "./room.ts";
import { RunningWorkers } from "./running-workers.ts";
import {
  failureOf,
  type Worker,
  type WorkerEngine,
  type WorkerGroup,
  type WorkerListener,
  type WorkerSpec,
} from "./worker.ts";
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
    const running = new RunningWorkers();
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
        (error: unknown) => listener.onEnd(failureOf(error)),
      );
      const stop = async () => {
        over.abort();
        await closed;
      };
      return running.add(closed, () => input, stop);
    };
    return { start, close: () => running.ended() };
  }
}
