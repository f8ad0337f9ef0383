import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { UserError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import type { RecordedRun, RunBatch } from "../../runs/fold.ts";
import { readRun, runIds } from "../../runs/read.ts";
import { command } from "../command.ts";
import { requireWhole } from "../usage-error.ts";
import { flag, json, number, text } from "./options.ts";
import { columns, durationText, notice, printJson } from "./output.ts";

/** Milliseconds. */
const interval = 500;
const shownErrors = 10;

const run = text("Run that `ls` lists, or the beginning of its name. Default: the newest");
const follow = { ...flag("Print until the run ends"), alias: "f" } as const;

export const ls = command({ json, last: number("Only the newest runs, so many") }, async ({ json, last }) => {
  requireWhole("--last", last, 1, "a number of runs", "Give a whole number above 0.");
  const runs = runIds()
    .slice(-(last ?? 0))
    .flatMap((id) => readRun(id) ?? []);
  if (json) return printJson(runs.map(({ output: _, ...run }) => ({ ...run, batches: run.batches.map(summaryOf) })));
  if (runs.length === 0) return notice("No program of this user has called a function yet.");
  const rows = runs.map((run) => [run.id, run.program, run.engine, stateOf(run), timeOf(run.started), lasted(run)]);
  process.stdout.write(columns([["ID", "PROGRAM", "ENGINE", "STATUS", "STARTED", "DURATION"], ...rows]));
});

export const show = command({ run, json }, async ({ run: name, json }) => {
  const run = named(name);
  if (json) return printJson(run);
  const facts = [
    ["program", run.program],
    ["status", stateOf(run)],
    ["started", `${timeOf(run.started)}, ${lasted(run)}`],
    ["engine", run.engine],
    ...run.images.map((image) => ["image", image]),
    ...(run.commit === undefined ? [] : [["commit", run.commit]]),
  ];
  const steps = run.batches.map((batch) => {
    const { done, failed, kept, running, waiting, seconds } = summaryOf(batch);
    const counts = Object.entries({ done, kept, failed, running, waiting }).filter(([, count]) => count > 0);
    return [
      batch.id,
      batch.after.join(", ") || "-",
      counts.map(([state, count]) => `${count} ${state}`).join(", "),
      durationText(seconds),
    ];
  });
  process.stdout.write(`${columns(facts)}\n${columns([["STEP", "AFTER", "CALLS", "DURATION"], ...steps])}`);
  for (const { id, calls, isMap } of run.batches) {
    const failed = calls.filter(({ state }) => state === "failed");
    for (const { index, error = "" } of failed.slice(0, shownErrors)) {
      process.stdout.write(`\n${printable(id)}${isMap ? `, item ${index}` : ""}: ${error}`);
    }
    const more = failed.length - shownErrors;
    if (more > 0) process.stdout.write(`\n${id}: ${more} more failed`);
    if (failed.length > 0) process.stdout.write("\n");
  }
  if (run.isCut) notice("The run was too long to be recorded whole.");
});

export const logs = command({ run, follow }, async ({ run: name, follow }) => {
  const { id } = named(name);
  let shown = 0;
  await untilInterrupted(async (signal) => {
    for (;;) {
      const run = readRun(id);
      const output = run?.output ?? [];
      const text = output.slice(shown).map((each) => each.text);
      process.stdout.write(Buffer.from(text.join("")));
      shown = output.length;
      if (!follow || run?.state !== "running") return;
      await delay(interval, undefined, { signal });
    }
  }, "");
});

/** @throws UserError if there is none, or several whose names begin so */
function named(name: string | undefined): RecordedRun {
  const ids = runIds().filter((id) => id.startsWith(name ?? ""));
  const found = name === undefined ? ids.slice(-1) : ids;
  const run = found.length === 1 ? readRun(found[0] ?? "") : undefined;
  if (run) return run;
  const culprit = name ?? "runs";
  const fail = (problem: string, remedy: string) => new UserError({ code: "run-not-found", culprit }, problem, remedy);
  if (found.length > 1) {
    const problem = `${found.length} runs have names that begin with ${culprit}.`;
    throw fail(problem, "Write more of the name that `slipway runs ls` lists.");
  }
  const problem =
    name === undefined ? "No program of this user has called a function yet." : `There is no run ${name}.`;
  throw fail(problem, "`slipway runs ls` lists the runs.");
}

function summaryOf({ calls, ...batch }: RunBatch) {
  const count = (state: string) => calls.filter((call) => call.state === state).length;
  const end = Math.max(batch.started, ...calls.slice(-1000).map(({ ended = 0 }) => ended));
  return {
    ...batch,
    waiting: count("waiting"),
    running: count("running"),
    done: count("done"),
    failed: count("failed"),
    kept: count("kept"),
    seconds: (end - batch.started) / 1000,
  };
}

function stateOf({ state, status, warmUntil }: RecordedRun): string {
  const warm = warmUntil === undefined ? "" : `, warm until ${timeOf(warmUntil)}`;
  return (state === "failed" ? `failed (${status})` : state) + warm;
}

function timeOf(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

function lasted({ started, ended = Date.now() }: RecordedRun): string {
  return durationText((ended - started) / 1000);
}
