import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Environment } from "../core/environment.ts";
import { isRunning } from "../core/processes.ts";
import { stateFolder } from "../core/user-folders.ts";
import { maximumFile, type RunEvent, runsFolder } from "./events.ts";
import { type RecordedRun, RunFold } from "./fold.ts";

const at = z.number();
const texts = z.array(z.string());
const eventSchema = z.union([
  z.object({
    at,
    run: z.object({
      version: z.literal(1),
      program: z.string(),
      arguments: z.number(),
      engine: z.string(),
      images: texts,
      commit: z.string().optional(),
      process: z.number().int().positive(),
      began: z.string(),
    }),
  }),
  z.object({
    at,
    batch: z.object({ id: z.string(), name: z.string(), after: texts, items: z.number().int(), isMap: z.boolean() }),
  }),
  z.object({
    at,
    item: z.object({
      batch: z.string(),
      index: z.number().int().nonnegative(),
      state: z.enum(["running", "done", "failed", "kept"]),
      where: z.string().optional(),
      runs: z.number().int().optional(),
      error: z.string().optional(),
      result: z.string().optional(),
    }),
  }),
  z.object({ at, output: z.object({ batch: z.string(), text: z.string() }) }),
  z.object({ at, full: z.literal(true) }),
  z.object({ at, warm: z.object({ until: z.number(), process: z.number().int().positive() }) }),
  z.object({ at, end: z.object({ status: z.number().int() }) }),
]);

export function runIds(env: Environment = process.env): string[] {
  try {
    const names = readdirSync(join(stateFolder(env), runsFolder));
    return names.flatMap((name) => /^([0-9TZ]+-[0-9a-f]{8})\.jsonl$/.exec(name)?.[1] ?? []).sort();
  } catch {
    return [];
  }
}

/** Skips lines that are damaged or foreign. Undefined: there is no such run. */
export function readRun(id: string, env: Environment = process.env): RecordedRun | undefined {
  let text: string;
  try {
    const path = pathOf(id, env);
    if (statSync(path).size > 2 * maximumFile) return undefined;
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  return parseRun(id, text, isRunning);
}

export function parseRun(
  id: string,
  text: string,
  isAlive: (process: number, began: string) => boolean,
): RecordedRun | undefined {
  const fold = new RunFold();
  for (const line of text.split("\n")) {
    const event = parseEvent(line);
    if (event) fold.add(event);
  }
  return fold.run(id, isAlive);
}

function parseEvent(line: string): RunEvent | undefined {
  if (line === "") return undefined;
  try {
    const parsed = eventSchema.safeParse(JSON.parse(line));
    // Optional fields are absent in JSON, never undefined.
    return parsed.success ? (parsed.data as RunEvent) : undefined;
  } catch {
    return undefined;
  }
}

/** Follows a run that goes on. */
export class RunReader {
  readonly #file: number;
  #offset = 0;
  #rest = Buffer.alloc(0);

  /** @throws an error of the system if there is no such run */
  constructor(id: string, env: Environment = process.env) {
    this.#file = openSync(pathOf(id, env), "r");
  }

  read(): RunEvent[] {
    const chunks = [this.#rest];
    for (;;) {
      const chunk = Buffer.alloc(256 * 1024);
      const length = readSync(this.#file, chunk, 0, chunk.length, this.#offset);
      this.#offset += length;
      chunks.push(chunk.subarray(0, length));
      // A file that nobody writes: what is left comes with the next call.
      if (length < chunk.length || chunks.length * chunk.length > 2 * maximumFile) break;
    }
    const bytes = Buffer.concat(chunks);
    const end = bytes.lastIndexOf("\n") + 1;
    // A line that is being written is for the next time.
    this.#rest = bytes.length - end > maximumFile ? Buffer.alloc(0) : Buffer.from(bytes.subarray(end));
    const lines = bytes.toString("utf8", 0, end).split("\n");
    return lines.flatMap((line) => parseEvent(line) ?? []);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** @throws Error for what is no name of a run */
function pathOf(id: string, env: Environment): string {
  if (!/^[0-9TZ]+-[0-9a-f]{8}$/.test(id)) throw new Error(`no run is called ${id}`);
  return join(stateFolder(env), runsFolder, `${id}.jsonl`);
}
