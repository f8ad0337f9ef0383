import { detectEngine, type EngineChoice } from "../containers/choose-engine.ts";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { ProcessWorkers } from "./process-workers.ts";
import { ProgramFiles } from "./program-files.ts";
import type { CallsStart, Program } from "./program-protocol.ts";
import { warmSocket } from "./warm-socket.ts";
import type { WorkerEngine, WorkerSpec } from "./worker.ts";
import { WorkerPool } from "./worker-pool.ts";

/** Where a run is told of its workers. */
interface Place {
  readonly tell: (text: string) => void;
  /** Settles when the program has room for what replies cause. */
  readonly room: () => void | Promise<void>;
}

/** The engine, workers and files of a program. With `keepWarm`, its next run has the same. */
export class ProgramWorkers {
  readonly env: Environment;
  readonly choice: EngineChoice;
  readonly files: ProgramFiles;
  readonly #program: Program;
  readonly #openPods: () => Promise<WorkerEngine>;
  readonly #engines = new Map<string, Promise<WorkerEngine>>();
  /** By what makes workers different, with the seconds for which they wait for another run. */
  readonly #pools = new Map<string, { readonly pool: WorkerPool; readonly warmth: number }>();
  /** Of the current run. */
  place: Place = { tell: () => {}, room: () => undefined };

  /** @throws UserError if there is no engine as the variables want it */
  constructor(program: Program, openPods: () => Promise<WorkerEngine>) {
    const { env } = program;
    this.env = env;
    const hasImage = env["SLIPWAY_CONTAINER_IMAGE"] || env["SLIPWAY_CONTAINER_IMAGE_URIS"];
    this.choice = hasImage ? detectEngine(env) : { kind: "process" };
    this.files = new ProgramFiles(env, (text) => this.place.tell(text));
    this.#program = program;
    this.#openPods = openPods;
  }

  /** Workers for calls. Without delay where there are some. */
  pool(start: CallsStart): WorkerPool | Promise<WorkerPool> {
    const known = start.resources.instance_type === undefined ? this.#pools.get(keyOf(start)) : undefined;
    return known?.pool ?? this.#open(start);
  }

  async #open(start: CallsStart): Promise<WorkerPool> {
    const engine = await this.#engine(start);
    const placed = { ...start, resources: await this.#placed(start) };
    const key = keyOf(placed);
    const known = this.#pools.get(key);
    if (known) return known.pool;
    const { maxCalls, keepWarm = 0 } = start;
    const warmth = engine.kind === "process" ? 0 : keepWarm;
    const options = { maxCalls, warmth, room: () => this.place.room() };
    const pool = new WorkerPool(engine, specOf(placed), (text) => this.place.tell(text), options);
    this.#pools.set(key, { pool, warmth });
    return pool;
  }

  #engine({ image }: CallsStart): Promise<WorkerEngine> {
    const { choice, files } = this;
    const kind = image === undefined ? "process" : choice.kind;
    const make = async (): Promise<WorkerEngine> => {
      if (kind === "kubernetes") return this.#openPods();
      if (kind === "container" && choice.kind === "container") {
        const { ContainerWorkers } = await import("./container-workers.ts");
        return new ContainerWorkers(choice.client, this.env, files.folder);
      }
      return new ProcessWorkers(this.#program, files.folder);
    };
    const engine = this.#engines.get(kind) ?? make();
    this.#engines.set(kind, engine);
    return engine;
  }

  /** Resources with the fields of their instance type. */
  async #placed({ name, resources }: CallsStart): Promise<CallsStart["resources"]> {
    const { instance_type: type, ...own } = resources;
    // A process has nothing that they limit.
    if (type === undefined || this.choice.kind === "process") return own;
    const { placedResources } = await import("../config/instance-types.ts");
    return placedResources(resources, this.env, ({ problem, remedy }) => {
      const path = "resources.instanceType";
      return new UserError(
        { code: "value-invalid", culprit: path },
        `${JSON.stringify(name)}: ${path} ${problem}.`,
        remedy,
      );
    });
  }

  /** Until when workers wait if the run ends now, in milliseconds since 1970. 0: none does. */
  warmUntil(): number {
    const warmths = [...this.#pools.values()].map(({ warmth }) => warmth);
    const most = Math.max(0, ...warmths);
    // Where the next run would not find them, they end with this one.
    return most === 0 || warmSocket(this.env) === undefined ? 0 : Date.now() + most * 1000;
  }

  /** Ends the workers that do not wait for another run. */
  async endOthers(): Promise<void> {
    const others = [...this.#pools].filter(([, { warmth }]) => warmth === 0);
    for (const [key] of others) this.#pools.delete(key);
    await Promise.allSettled(others.map(([, { pool }]) => pool.close(false)));
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()].map(({ pool }) => pool);
    const isCutShort = pools.some(({ isIdle }) => !isIdle);
    await Promise.allSettled(pools.map((pool) => pool.close(isCutShort)));
    await this.files.close();
  }
}

function specOf({ name, image, programArguments, env, network, resources, volumes }: CallsStart): WorkerSpec {
  return {
    ...{ name, programArguments, env, network, resources },
    ...(image === undefined ? {} : { image }),
    ...(volumes === undefined ? {} : { volumes }),
  };
}

/** Calls with the same key can have the same workers. */
function keyOf(start: CallsStart): string {
  const { name: _, ...spec } = specOf(start);
  return JSON.stringify([spec, start.fresh === true, start.maxCalls, start.keepWarm]);
}
