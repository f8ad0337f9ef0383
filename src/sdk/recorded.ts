import { StringDecoder } from "node:string_decoder";
import { inspect } from "node:util";
import { startTimeOf } from "../core/processes.ts";
import { type BatchStart, maximumError, maximumResult } from "../runs/events.ts";
import { commitOf, RunRecord } from "../runs/record.ts";

/** Set by the launcher: label of the pipeline. */
export const targetVariable = "SLIPWAY_TARGET";

let record: RunRecord | undefined;

/** The record of this program. It begins with the first call, so that a program without calls leaves none. */
function ownRecord(engine: string, images: readonly string[]): RunRecord {
  if (record) return record;
  const commit = commitOf(process.env["BUILD_WORKSPACE_DIRECTORY"]);
  const start = {
    version: 1,
    program: process.env[targetVariable] || (process.argv[1] ?? ""),
    arguments: process.argv.length - 2,
    engine,
    images,
    ...(commit === undefined ? {} : { commit }),
    process: process.pid,
    began: startTimeOf(process.pid) ?? "",
  } as const;
  const made = new RunRecord(process.env, start, (text) => void process.stderr.write(`slipway: ${text}\n`));
  record = made;
  process.once("exit", (status) => made.end(status));
  return made;
}

export class BatchRecord {
  readonly #record: RunRecord;
  readonly #id: string;
  readonly #decoder = new StringDecoder("utf8");

  constructor(place: { readonly engine: string; readonly images: readonly string[] }, batch: BatchStart) {
    this.#record = ownRecord(place.engine, place.images);
    this.#id = batch.id;
    this.#record.add({ batch });
  }

  started(index: number, where: string | undefined): void {
    this.#add(index, "running", where === undefined ? {} : { where });
  }

  ended(index: number, settled: PromiseSettledResult<unknown>, isKept: boolean): void {
    if (settled.status === "rejected") this.failed(index, settled.reason);
    else this.#add(index, isKept ? "kept" : "done", resultOf(settled.value));
  }

  failed(index: number, reason: unknown): void {
    const text = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
    this.#add(index, "failed", { error: (text.split("\n", 1)[0] ?? "").slice(0, maximumError) });
  }

  printed(data: Buffer): void {
    const text = this.#decoder.write(data);
    if (text !== "") this.#record.add({ output: { batch: this.#id, text } });
  }

  #add(index: number, state: "running" | "done" | "failed" | "kept", more = {}): void {
    this.#record.add({ item: { batch: this.#id, index, state, ...more } });
  }
}

/** The beginning of a result. A large one is not looked at whole. */
function resultOf(value: unknown): { readonly result?: string } {
  if (value === undefined) return {};
  const limits = {
    depth: 3,
    maxArrayLength: 20,
    maxStringLength: maximumResult,
    breakLength: Number.POSITIVE_INFINITY,
  };
  return { result: inspect(value, limits).slice(0, maximumResult) };
}
