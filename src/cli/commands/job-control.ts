import process from "node:process";
import { UserError } from "../../core/errors.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import type { FailedItem, JobEngine, JobStatus, ShownLog } from "../../jobs/engine.ts";
import { countWords, hasEnded } from "../../jobs/engine.ts";
import { findJobFolder, jobsFolder } from "../../jobs/job-folder.ts";
import { isKubernetesId } from "../../jobs/kubernetes/id.ts";
import { optionError } from "../usage-error.ts";
import { engineOf } from "./job-engines.ts";
import { type LogWords, shownLog } from "./log-words.ts";
import { notice, printJson, write } from "./output.ts";

/** The hidden command that a supervisor process runs. */
export async function superviseById({ id }: { readonly id: string }): Promise<void> {
  const { superviseJob } = await import("../../jobs/supervise.ts");
  await superviseJob(findJobFolder(jobsFolder(process.env), id));
}

/** Prints a job's output until it ends, then exits with its status. An interrupt leaves the job running. */
export async function followJob(
  engine: JobEngine,
  id: string,
  isFunction: boolean,
  shown: ShownLog = {},
): Promise<void> {
  notice(`job ${id}`);
  await untilInterrupted(async (signal) => {
    for await (const { stream, data } of engine.logs(id, { ...shown, follow: true, signal })) {
      // Standard output is for the function's result.
      await write(stream === "stdout" && !isFunction ? process.stdout : process.stderr, data);
    }
    const { status, reply } = await engine.collect(id, { signal });
    if (reply && "error" in reply) process.stderr.write(`${reply.error.details.trimEnd()}\n`);
    else if (reply) await write(process.stdout, `${JSON.stringify(reply.result ?? null)}\n`);
    if (status.state !== "succeeded" || status.items) notice(describe(status));
    process.exitCode = exitStatusOf(status);
  }, `job ${id} goes on. Return to it with \`slipway job logs --follow ${id}\`, end it with \`slipway job cancel ${id}\`.`);
}

export async function showStatus({ id, json }: { readonly id: string; readonly json: boolean }): Promise<void> {
  const status = await (await engineOf(id)).status(id);
  if (json) printJson(status);
  else process.stdout.write(`${describe(status)}\n`);
}

export async function showLogs({
  id,
  follow,
  tail,
  since,
  timestamps,
  item,
}: LogWords & {
  readonly id: string;
  readonly follow: boolean;
  readonly item?: number | undefined;
}): Promise<void> {
  if (!isKubernetesId(id) && (since !== undefined || timestamps)) {
    const option = since === undefined ? "--timestamps" : "--since";
    const problem = `${option} is for jobs on Kubernetes: this machine notes no times of what ${id} printed.`;
    throw optionError(option, problem, "Leave it out, or give --tail.");
  }
  requireItemNumber(id, item);
  const shown = { ...shownLog({ tail, since, timestamps }), item };
  const engine = await engineOf(id);
  // Of one item its output is all there is to follow: the job has the status.
  if (follow && item === undefined) return followJob(engine, id, await engine.isFunction(id), shown);
  await untilInterrupted(async (signal) => {
    for await (const { stream, data } of engine.logs(id, { ...shown, follow, signal })) {
      await write(stream === "stdout" ? process.stdout : process.stderr, data);
    }
  }, "");
}

/** @throws UserError for what is no number of an item */
function requireItemNumber(id: string, item: number | undefined): void {
  if (item === undefined) return;
  if (!isKubernetesId(id)) throw optionError("--item", `Job ${id} has no items.`, "Leave --item out.");
  if (Number.isInteger(item) && item >= 0) return;
  throw optionError("--item", "--item is not the number of an item.", "Give a whole number, such as 0.");
}

export async function cancelJob({ id }: { readonly id: string }): Promise<void> {
  const engine = await engineOf(id);
  const before = await engine.status(id);
  if (hasEnded(before)) {
    const remedy = `Show its state with \`slipway job status ${id}\`.`;
    throw new UserError({ code: "job-state", culprit: id }, `Job ${id} has already ended.`, remedy);
  }
  await engine.cancel(id);
  notice(describe(await engine.status(id)));
}

/** The exit status of the command: the job's own if it has one. */
function exitStatusOf({ state, exitStatus }: JobStatus): number {
  if (state === "succeeded") return 0;
  return exitStatus === undefined || exitStatus === 0 ? 1 : exitStatus;
}

/** A line for the job, and one for each item that failed. */
function describe(job: JobStatus): string {
  const { id, state, reason, exitStatus, attempts, items } = job;
  if (items) {
    const why = reason === undefined ? "" : `. ${reason}`;
    const failures = items.failures.map((item) => `\n  ${describeItem(item)}`).join("");
    return `job ${id} ${isWord(state)}: ${countWords(items)}${why}${failures}`;
  }
  const status = exitStatus === undefined || exitStatus === 0 ? "" : ` with status ${exitStatus}`;
  const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
  return `job ${id} ${isWord(state)}${status}${tries}${reason === undefined ? "" : `: ${reason}`}`;
}

function isWord(state: JobStatus["state"]): string {
  return state === "running" || state === "queued" ? `is ${state}` : state;
}

/** `item 3 (LR=0.1 SEED=7) failed with status 2`. */
function describeItem({ index, values, exitStatus, reason }: FailedItem): string {
  const variables = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const named = variables.length === 0 ? "" : ` (${variables.join(" ")})`;
  const status = exitStatus === undefined ? "" : ` with status ${exitStatus}`;
  return `item ${index}${named} failed${status}${reason === undefined ? "" : `: ${reason}`}`;
}
