import type { BatchStart, ItemChange, RunEvent, RunStart } from "./events.ts";

export interface RunItem {
  readonly index: number;
  readonly state: "waiting" | ItemChange["state"];
  readonly where?: string;
  /** How many times it ran, at most. Default: 1. */
  readonly runs?: number;
  readonly error?: string;
  /** The beginning of it, for people. */
  readonly result?: string;
  readonly started?: number;
  readonly ended?: number;
}

export interface RunBatch extends BatchStart {
  readonly started: number;
  readonly calls: readonly RunItem[];
}

/** A program's run, as far as it was written down. Times are in milliseconds since 1970. */
export interface RecordedRun extends Omit<RunStart, "version" | "began"> {
  readonly id: string;
  /** `killed`: the program ended without saying so. */
  readonly state: "running" | "done" | "failed" | "killed";
  readonly started: number;
  readonly ended?: number;
  readonly status?: number;
  /** Its workers wait for the next run until then. */
  readonly warmUntil?: number;
  readonly batches: readonly RunBatch[];
  readonly output: readonly { readonly at: number; readonly batch: string; readonly text: string }[];
  /** The program did more than is written here. */
  readonly isCut: boolean;
}

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Puts together what the events of a run say. Uses nothing of Node: the page of `slipway ui` has it too. */
export class RunFold {
  #start: { readonly at: number; readonly run: RunStart } | undefined;
  #end: { readonly at: number; readonly status: number } | undefined;
  #warm: { readonly until: number; readonly process: number } | undefined;
  #isCut = false;
  #last = 0;
  readonly #batches = new Map<string, Omit<RunBatch, "calls"> & { readonly calls: Writable<RunItem>[] }>();
  readonly #output: RecordedRun["output"][number][] = [];

  add(event: RunEvent): void {
    this.#last = event.at;
    if ("run" in event) this.#start ??= { at: event.at, run: event.run };
    else if ("batch" in event) {
      const count = Math.max(0, Math.min(event.batch.items, 1_000_000));
      const calls = Array.from({ length: count }, (_, index): Writable<RunItem> => ({ index, state: "waiting" }));
      this.#batches.set(event.batch.id, { ...event.batch, started: event.at, calls });
    } else if ("item" in event) {
      change(this.#batches.get(event.item.batch)?.calls[event.item.index], event.at, event.item);
    } else if ("output" in event) this.#output.push({ at: event.at, ...event.output });
    else if ("full" in event) this.#isCut = true;
    else if ("warm" in event) this.#warm = event.warm;
    else this.#end = { at: event.at, status: event.end.status };
  }

  run(id: string, isAlive: (process: number, began: string) => boolean): RecordedRun | undefined {
    if (this.#start === undefined) return undefined;
    const { version: _, began, ...run } = this.#start.run;
    const end = this.#end;
    const isOver = end !== undefined || !isAlive(run.process, began);
    let state: RecordedRun["state"] = isOver ? "killed" : "running";
    if (end) state = end.status === 0 ? "done" : "failed";
    const warm = this.#warm;
    const isWarm = warm !== undefined && warm.until > Date.now() && isAlive(warm.process, "");
    return {
      id,
      state,
      ...run,
      started: this.#start.at,
      ...(isOver ? { ended: end?.at ?? this.#last } : {}),
      ...(end ? { status: end.status } : {}),
      ...(isWarm ? { warmUntil: warm.until } : {}),
      batches: [...this.#batches.values()],
      output: this.#output,
      isCut: this.#isCut,
    };
  }
}

function change(item: Writable<RunItem> | undefined, time: number, change: ItemChange): void {
  const { state, where, runs, error, result } = change;
  if (item === undefined) return;
  item.state = state;
  if (where !== undefined) item.where = where;
  if (runs !== undefined) item.runs = runs;
  if (error !== undefined) item.error = error;
  if (result !== undefined) item.result = result;
  if (state === "running") item.started = time;
  else item.ended = time;
  // Of quick calls, only the end is recorded.
  if (state !== "kept") item.started ??= time;
}
