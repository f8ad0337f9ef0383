import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunRecord } from "../../runs/record.ts";
import { CallBatch } from "../call-batch.ts";
import type { KeptResults } from "../keep.ts";
import { ProgramFiles } from "../program-files.ts";
import type { CallError, CallsStart } from "../program-protocol.ts";
import type { WorkerEngine } from "../worker.ts";
import { WorkerPool } from "../worker-pool.ts";

/** Calls of a function `f`. */
export const start: CallsStart = {
  id: "f",
  name: "f",
  after: [],
  items: null,
  isMap: true,
  image: `r.example.com/a@sha256:${"0".repeat(64)}`,
  programArguments: [],
  env: {},
  network: "none",
  resources: {},
};

export type Outcome = { readonly value: unknown } | { readonly error: CallError };

/** Makes calls on an engine, each with a list of arguments, and collects what comes of them. */
export async function callAll(
  engine: WorkerEngine,
  inputs: readonly (readonly unknown[])[],
  more: Partial<CallsStart> = {},
  {
    kept,
    onOutcome,
    home,
  }: {
    readonly kept?: Promise<KeptResults | undefined>;
    readonly onOutcome?: () => void;
    /** Of the run's record; a folder that is gone afterwards unless named. */
    readonly home?: string;
  } = {},
) {
  const own = { ...start, ...more };
  const folder = home ?? mkdtempSync(join(tmpdir(), "slipway-test-"));
  const pool = new WorkerPool(engine, own, (text) => print(Buffer.from(`slipway: ${text}\n`)), { room: () => undefined });
  const outcomes: Outcome[] = [];
  let output = "";
  const print = (data: Buffer) => {
    output += data;
  };
  const files = new ProgramFiles({ HOME: folder }, () => {});
  const run = { version: 1, program: "", arguments: 0, engine: "", images: [], process: 1, began: "" } as const;
  const record = new RunRecord({ HOME: folder, XDG_STATE_HOME: folder }, run, () => {});
  const place = { kind: engine.kind, record, files, columns: null, isColored: false };
  const settle = (index: number, outcome: Outcome) => {
    if (outcomes[index] !== undefined) throw new Error(`call ${index} has two outcomes`);
    outcomes[index] = outcome;
    onOutcome?.();
  };
  try {
    await new Promise<void>((done, failed) => {
      const answers = {
        result: (index: number, [json]: readonly Uint8Array[]) =>
          settle(index, { value: json && JSON.parse(Buffer.from(json).toString()) }),
        error: (index: number, error: CallError) => settle(index, { error }),
        output: print,
        done,
        failed,
      };
      const batch = new CallBatch(own, pool, place, answers, kept);
      for (const [index, input] of inputs.entries()) batch.item(index, [Buffer.from(JSON.stringify(input))]);
      batch.close();
      batch.wake();
    });
  } finally {
    await pool.close(false);
    record.end(0);
    if (home === undefined) rmSync(folder, { recursive: true });
  }
  // A busy machine may be told of what is waited for.
  output = output.replaceAll(/^slipway: (Waiting|Starting) .*\n/gm, "");
  return { outcomes, output };
}
