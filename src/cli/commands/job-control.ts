import process from "node:process";
import { UserError } from "../../core/errors.ts";
import type { JobEngine, JobStatus } from "../../engine/job/engine.ts";
import { hasEnded } from "../../engine/job/engine.ts";
import { findJobFolder, jobsFolder } from "../../engine/job/job-folder.ts";
import { engineOf, listAllJobs } from "./job-engines.ts";

/** The hidden command that a supervisor process runs. */
export async function superviseById({ id }: { readonly id: string }): Promise<void> {
  const { superviseJob } = await import("../../engine/job/supervise.ts");
  await superviseJob(findJobFolder(jobsFolder(process.env), id));
}

/** Prints a job's output until it ends, then exits with its status. An interrupt leaves the job running. */
export async function followJob(engine: JobEngine, id: string, isFunction: boolean): Promise<void> {
  const interrupt = new AbortController();
  const leave = () => interrupt.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, leave);
  process.stderr.write(`slipway: job ${id}\n`);
  try {
    for await (const { stream, data } of engine.logs(id, { follow: true, signal: interrupt.signal })) {
      // Standard output is for the function's result.
      await write(stream === "stdout" && !isFunction ? process.stdout : process.stderr, data);
    }
    const { status, reply } = await engine.collect(id, { signal: interrupt.signal });
    if (reply && "error" in reply) process.stderr.write(`${reply.error.details.trimEnd()}\n`);
    else if (reply) await write(process.stdout, Buffer.from(`${JSON.stringify(reply.result ?? null)}\n`));
    if (status.state !== "succeeded") process.stderr.write(`slipway: ${describe(status)}\n`);
    process.exitCode = exitStatusOf(status);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.stderr.write(
      `slipway: job ${id} goes on. Return to it with \`slipway job logs --follow ${id}\`, end it with \`slipway job cancel ${id}\`.\n`,
    );
    process.exitCode = 130;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.removeListener(signal, leave);
  }
}

/** Lists all jobs, one per line. */
export async function listJobs({ json }: { readonly json: boolean }): Promise<void> {
  const jobs = await listAllJobs();
  if (json) process.stdout.write(`${JSON.stringify(jobs, undefined, 2)}\n`);
  else for (const job of jobs) process.stdout.write(`${job.id}  ${job.state}  ${job.submitted}\n`);
  if (jobs.length === 0) process.stderr.write("There are no jobs.\n");
}

export async function showStatus({ id, json }: { readonly id: string; readonly json: boolean }): Promise<void> {
  const status = await (await engineOf(id)).status(id);
  process.stdout.write(json ? `${JSON.stringify(status, undefined, 2)}\n` : `${describe(status)}\n`);
}

export async function showLogs({ id, follow }: { readonly id: string; readonly follow: boolean }): Promise<void> {
  const engine = await engineOf(id);
  if (follow) return followJob(engine, id, await engine.isFunction(id));
  for await (const { stream, data } of engine.logs(id, { follow: false })) {
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
  process.stderr.write(`slipway: ${describe(await engine.status(id))}\n`);
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

/** Writes, and waits for a slow reader. */
async function write(stream: NodeJS.WriteStream, data: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => stream.write(data, (error) => (error ? reject(error) : resolve())));
}
