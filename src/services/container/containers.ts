import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { gpuArguments, limitArguments, mountArgument, type ProcessLimits } from "../../containers/arguments.ts";
import type { ContainerClient } from "../../containers/client.ts";
import { checkDocker } from "../../containers/docker-daemon.ts";
import { divideEnvironment } from "../../containers/environment.ts";
import { failureIdentity, oneLine, remedyOf } from "../../containers/failure.ts";
import { processLimits } from "../../containers/process-limits.ts";
import { pullImage } from "../../containers/pull.ts";
import { isOnThisMachine } from "../../containers/reach.ts";
import { type Login, makeRunFolder } from "../../containers/run-folder.ts";
import { otherRuntime } from "../../containers/runtime.ts";
import type { Environment } from "../../core/environment.ts";
import { Failure, UserError } from "../../core/errors.ts";
import { runProgram } from "../../core/run-program.ts";
import { runnableImage } from "../../signatures/runnable-image.ts";
import type { LogOptions } from "../log-options.ts";
import { containerNameOf, type Labelled, labelFile, readLabels, serviceLabel } from "./facts.ts";
import { type HostPorts, listeningPorts, loopback } from "./ports.ts";

export interface Found extends Labelled {
  readonly name: string;
  readonly state: string;
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
  readonly restarts: number;
  readonly startedAt: string;
  readonly hostPorts: HostPorts;
}

/** Whether it must stop before another starts. `podman stop` may leave `stopping`; docker has `restarting`. */
export function isRunning({ state }: Pick<Found, "state">): boolean {
  return state === "running" || state === "stopping" || state === "restarting";
}

interface Inspected {
  readonly Name: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> | null };
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly StartedAt: string;
  };
  readonly RestartCount: number;
  readonly HostConfig: {
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>> | null;
  };
}

interface Question {
  readonly image?: string;
  /** Added to the client's environment. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly input?: Buffer;
}

/** Seconds between SIGTERM and SIGKILL, as for pods. */
const grace = 60;

export class Containers {
  readonly client: ContainerClient;
  readonly #env: Environment;

  constructor(client: ContainerClient, env: Environment) {
    this.client = client;
    this.#env = env;
  }

  /** @throws Failure if docker's daemon does not answer: its client would wait forever */
  static async open(client: ContainerClient, env: Environment): Promise<Containers> {
    if (client.name === "docker") await checkDocker(env);
    return new Containers(client, env);
  }

  async list(service?: string): Promise<readonly Found[]> {
    const found = await Promise.all((await this.ids(service)).map((id) => this.find(id)));
    return found
      .filter((each) => each !== undefined)
      .sort((one, other) => one.service.localeCompare(other.service) || one.replica - other.replica);
  }

  async ids(service?: string): Promise<readonly string[]> {
    const label = service === undefined ? serviceLabel : `${serviceLabel}=${service}`;
    const ids = await this.ask(["ps", "--all", "--quiet", "--no-trunc", `--filter=label=${label}`]);
    return ids.split("\n").filter((id) => id !== "");
  }

  /** Undefined: there is none, or it belongs to no service. */
  async find(id: string): Promise<Found | undefined> {
    const inspected = await this.#inspect<Inspected>("container", id);
    const labelled = inspected && readLabels(inspected.Config.Labels ?? {});
    const name = inspected?.Name.replace(/^\//, "");
    // Containers inherit labels of their image, so any image can have those of a service.
    if (!inspected || !labelled || name !== containerNameOf(labelled)) return undefined;
    const { State, HostConfig } = inspected;
    const bindings = Object.entries(HostConfig.PortBindings ?? {});
    return {
      ...labelled,
      name,
      state: State.Status,
      exitCode: State.ExitCode,
      isOutOfMemory: State.OOMKilled,
      restarts: inspected.RestartCount,
      startedAt: State.StartedAt,
      hostPorts: new Map(bindings.map(([port, bound]) => [Number.parseInt(port, 10), Number(bound?.[0]?.HostPort)])),
    };
  }

  /** Whether a program in a container listens on a port. False also if this machine cannot see that. */
  async listens(name: string, port: number): Promise<boolean> {
    if (!isOnThisMachine(this.client, this.#env)) return false;
    const pid = await this.ask(["container", "inspect", "--format={{.State.Pid}}", name]);
    return (await listeningPorts(Number(pid))).has(port);
  }

  async image(image: string): Promise<{ readonly id: string; readonly user: string } | undefined> {
    type Image = { readonly Id: string; readonly Config: { readonly User?: string } };
    const found = await this.#inspect<Image>("image", image);
    return found && { id: `sha256:${found.Id.replace(/^sha256:/, "")}`, user: found.Config.User ?? "" };
  }

  async #inspect<Answer>(kind: "container" | "image", name: string): Promise<Answer | undefined> {
    const text = await this.ask([kind, "inspect", name]).catch((error: unknown) => {
      if (/no such (container|image|object)|image not known/i.test(String(error))) return "[]";
      throw error;
    });
    return (JSON.parse(text) as readonly Answer[])[0];
  }

  async pull(image: string, login: Login | undefined): Promise<void> {
    await pullImage(this.client, image, login, this.#env);
  }

  async create(wanted: NewContainer, runtime?: string): Promise<void> {
    const { inherited, file } = divideEnvironment(wanted.env);
    using folder = makeRunFolder(this.client, wanted.facts.image, file, {}, this.#env);
    const args = createArguments(this.client, wanted, {
      labelFile: folder.write("labels", labelFile(wanted)),
      environmentFile: folder.environmentFile,
      inherited: Object.keys(inherited),
      limits: processLimits(),
      grace,
      runtime,
    });
    await this.ask(args, { image: wanted.facts.image, variables: inherited });
  }

  /** Recreates it for another runtime if podman's default one does not work on this machine. */
  async start(wanted: NewContainer): Promise<void> {
    const name = containerNameOf(wanted);
    try {
      await this.ask(["start", name], { image: wanted.facts.image });
    } catch (error) {
      const runtime = otherRuntime(this.client, String(error), this.#env);
      if (runtime === undefined) throw error;
      await this.remove(name);
      await this.create(wanted, runtime);
      await this.ask(["start", name], { image: wanted.facts.image });
    }
  }

  /** Starts one again that may run. @throws Failure as {@link runnableImage} */
  async resume({ name, facts }: Found): Promise<void> {
    await runnableImage(facts.image, this.#env);
    await this.ask(["start", name]);
  }

  async stop(name: string): Promise<void> {
    await this.ask(["stop", `--time=${grace}`, name]);
  }

  /** Kills a running container. It may be gone already. */
  async remove(name: string): Promise<void> {
    await this.ask(["rm", "--force", "--volumes", name]).catch((error: unknown) => {
      if (!/no such container/i.test(String(error))) throw error;
    });
  }

  /** Reads the log of a container as fast as `onData` takes it; with `follow`, until the container ends. */
  async logs(
    name: string,
    { follow, tail, since, timestamps = false, signal }: Omit<LogOptions, "colors">,
    onData: (data: Buffer, stream: "stdout" | "stderr") => void | Promise<void>,
  ): Promise<void> {
    const args = [
      "logs",
      ...(follow ? ["--follow"] : []),
      ...(tail === undefined ? [] : [`--tail=${tail}`]),
      ...(since === undefined ? [] : [`--since=${since.toISOString()}`]),
      ...(timestamps ? ["--timestamps"] : []),
      name,
    ];
    const child = spawn(this.client.path, args, {
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal ? { signal } : {}),
    });
    const read = async (stream: "stdout" | "stderr") => {
      for await (const data of child[stream]) await onData(data as Buffer, stream);
    };
    await Promise.all([once(child, "close"), read("stdout"), read("stderr")]).catch((error: unknown) => {
      if (!signal?.aborted) throw error;
    });
  }

  limitArguments(): string[] {
    return limitArguments(this.client.name === "podman" ? processLimits() : undefined);
  }

  async attach(name: string, onLine: (line: string) => void): Promise<{ status: number; words: readonly string[] }> {
    const child = spawn(this.client.path, ["start", "--attach", name], {
      env: this.#env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const words: string[] = [];
    const ended = once(child, "close") as Promise<[number | null]>;
    for await (const line of createInterface({ input: child.stderr })) {
      words.push(line);
      onLine(line);
    }
    const [status] = await ended;
    return { status: status ?? 1, words };
  }

  async ask(args: readonly string[], { image = "", variables = {}, input }: Question = {}): Promise<string> {
    const [what = ""] = args.filter((word) => !word.startsWith("-"));
    // The last word of other commands can be anything.
    const name = /^(start|stop|rm)$/.test(what) ? ` ${args.at(-1)}` : "";
    const result = await runProgram(this.client.path, args, {
      env: { ...this.#env, ...variables },
      input: input && [input],
      notice: `Waiting for ${this.client.name} ${what}${name}`,
    });
    if (result.status === 0) return result.stdout.trim();
    const words = oneLine(result.stderr) || `it ended with status ${result.status}`;
    const culprit = `${this.client.name} ${what}`;
    if (image === "") {
      const remedy = `Run \`${this.client.name} info\` to see whether it works.`;
      throw new Failure({ code: "program-failed", culprit }, `${culprit} failed: ${words}`, remedy);
    }
    const identity = failureIdentity(this.client, image, words);
    const remedy = `${remedyOf(this.client, image, words)}.`;
    throw new UserError(identity, `${culprit} of ${image} failed: ${words}`, remedy);
  }
}

export interface NewContainer extends Labelled {
  readonly env: Readonly<Record<string, string>>;
  readonly hostPorts: HostPorts;
  readonly mounts: Readonly<Record<string, string>>;
}

interface CreateSettings {
  readonly labelFile: string;
  readonly environmentFile: string | undefined;
  /** Variables that the client passes on from its own environment. */
  readonly inherited: readonly string[];
  readonly limits: ProcessLimits | undefined;
  readonly grace: number;
  readonly runtime: string | undefined;
}

const firstUnprivileged = 1024;

/** No capability, no new privilege, ports only on loopback, always restarted. Contains no value of a variable. */
export function createArguments(client: ContainerClient, wanted: NewContainer, settings: CreateSettings): string[] {
  const { image, command, resources, ports } = wanted.facts;
  const isPodman = client.name === "podman";
  const [program, ...rest] = command ?? [];
  return [
    ...(isPodman ? ["--log-level=error"] : []),
    "create",
    `--name=${containerNameOf(wanted)}`,
    `--label-file=${settings.labelFile}`,
    "--pull=never",
    "--restart=always",
    `--stop-timeout=${settings.grace}`,
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    ...[...wanted.hostPorts].map(([port, hostPort]) => `--publish=${loopback}:${hostPort}:${port}/tcp`),
    // Docker sets this itself.
    ...(isPodman && ports.some((port) => port < firstUnprivileged)
      ? ["--sysctl=net.ipv4.ip_unprivileged_port_start=0"]
      : []),
    ...(isPodman ? podmanArguments(settings) : ["--log-driver=json-file", "--log-opt=max-file=2"]),
    "--log-opt=max-size=64m",
    ...(resources.memory === undefined ? [] : [`--memory=${resources.memory}b`]),
    ...(resources.cpu === undefined ? [] : [`--cpus=${resources.cpu}`]),
    ...gpuArguments(client, resources.gpu ?? 0),
    ...Object.entries(wanted.mounts).map(([target, source]) => mountArgument({ source, target })),
    ...settings.inherited.map((name) => `--env=${name}`),
    ...(settings.environmentFile === undefined ? [] : [`--env-file=${settings.environmentFile}`]),
    ...(program === undefined ? [] : [`--entrypoint=${isPodman ? JSON.stringify([program]) : program}`]),
    image,
    ...rest,
  ];
}

function podmanArguments({ limits, runtime }: CreateSettings): string[] {
  return [
    // Either would pass this machine's variables into the container.
    "--env-host=false",
    "--http-proxy=false",
    "--log-driver=k8s-file",
    ...limitArguments(limits),
    ...(runtime === undefined ? [] : [`--runtime=${runtime}`]),
  ];
}
