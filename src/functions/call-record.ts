import { StringDecoder } from "node:string_decoder";
import { startTimeOf } from "../core/processes.ts";
import { type BatchStart, maximumError, maximumResult } from "../runs/events.ts";
import { commitOf, RunRecord } from "../runs/record.ts";
import { targetVariable } from "./helper-variables.ts";
import type { CallError, Program } from "./program-protocol.ts";

/** The record of a program. It begins with the first call, so that a program without calls leaves none. */
export function recordOf(
  program: Program,
  engine: string,
  images: readonly string[],
  tell: (text: string) => void,
): RunRecord {
  const { env } = program;
  const commit = commitOf(env["BUILD_WORKSPACE_DIRECTORY"]);
  const start = {
    version: 1,
    program: env[targetVariable] || program.path,
    arguments: program.arguments,
    engine,
    images,
    ...(commit === undefined ? {} : { commit }),
    process: program.process,
    began: startTimeOf(program.process) ?? "",
  } as const;
  return new RunRecord(env, start, tell);
}

/** The record of calls of one function. */
export class BatchRecord {
  readonly #record: RunRecord;
  readonly #id: string;
  readonly #decoder = new StringDecoder("utf8");

  constructor(record: RunRecord, batch: BatchStart) {
    this.#record = record;
    this.#id = batch.id;
    this.#record.add({ batch });
  }

  started(index: number, where: string | undefined): void {
    this.#add(index, "running", where === undefined ? {} : { where });
  }

  /** Notes the beginning of a result. @param runs 0: the result was kept */
  ended(index: number, json: Buffer | undefined, runs: number): void {
    const text = json?.toString("utf8", 0, 4 * maximumResult).slice(0, maximumResult);
    const more = text === undefined ? {} : { result: text };
    this.#add(index, runs === 0 ? "kept" : "done", { ...more, ...(runs > 1 && { runs }) });
  }

  failed(index: number, { name, message }: Pick<CallError, "name" | "message">, runs = 1): void {
    const error = `${name}: ${message}`.split("\n", 1)[0]?.slice(0, maximumError) ?? "";
    this.#add(index, "failed", { error, ...(runs > 1 && { runs }) });
  }

  printed(data: Buffer): void {
    const text = this.#decoder.write(data);
    if (text !== "") this.#record.add({ output: { batch: this.#id, text } });
  }

  #add(index: number, state: "running" | "done" | "failed" | "kept", more: object): void {
    this.#record.add({ item: { batch: this.#id, index, state, ...more } });
  }
}
