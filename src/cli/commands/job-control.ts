import process from "node:process";
import { UserError } from "../../core/errors.ts";
import type { JobEngine, JobStatus, ShownLog } from "../../engine/job/engine.ts";
import { hasEnded } from "../../engine/job/engine.ts";
import { findJobFolder, jobsFolder } from "../../engine/job/job-folder.ts";
import { isKubernetesId } from "../../engine/kubernetes/id.ts";
import { optionError } from "../usage-error.ts";
import { untilInterrupted } from "./interrupt.ts";
import { engineOf } from "./job-engines.ts";
import { type LogWords, shownLog } from "./log-words.ts";
import { notice, printJson, write } from "./output.ts";

/** The hidden command that a supervisor process runs. */
export async function superviseById({ id }: { readonly id: string }): Promise<void> {
  const { superviseJob } = await import("../../engine/job/supervise.ts");
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
    else if (reply) await write(process.stdout, Buffer.from(`${JSON.stringify(reply.result ?? null)}\n`));
    if (status.state !== "succeeded") notice(describe(status));
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
}: LogWords & { readonly id: string; readonly follow: boolean }): Promise<void> {
  if (!isKubernetesId(id) && (since !== undefined || timestamps)) {
    const option = since === undefined ? "--timestamps" : "--since";
    const problem = `${option} is for jobs on Kubernetes: this machine notes no times of what ${id} printed.`;
    throw optionError(option, problem, "Leave it out, or give --tail.");
  }
  const shown = shownLog({ tail, since, timestamps });
  const engine = await engineOf(id);
  if (follow) return followJob(engine, id, await engine.isFunction(id), shown);
  for await (const { stream, data } of engine.logs(id, { ...shown, follow: false })) {
    await write(stream === "stdout" ? process.stdout : process.stderr, data);
  }
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

function describe({ id, state, reason, exitStatus, attempts }: JobStatus): string {
  const status = exitStatus === undefined || exitStatus === 0 ? "" : ` with status ${exitStatus}`;
  const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
  return `job ${id} ${state === "running" || state === "queued" ? "is " : ""}${state}${status}${tries}${reason === undefined ? "" : `: ${reason}`}`;
}
