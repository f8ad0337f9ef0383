import {
  countWords,
  type FailedItem,
  type JobEngine,
  type JobOutcome,
  type JobStatus,
  type ShownLog,
} from "./engine.ts";

export interface FollowOptions extends ShownLog {
  readonly signal: AbortSignal;
  readonly print: (stream: "stdout" | "stderr", data: Buffer) => Promise<void>;
}

export async function followJob(engine: JobEngine, id: string, options: FollowOptions): Promise<JobOutcome> {
  const { print, ...shown } = options;
  for await (const { stream, data } of engine.logs(id, { ...shown, follow: true })) await print(stream, data);
  return engine.collect(id, { signal: options.signal });
}

export function goesOn(id: string): string {
  return `job ${id} goes on. Return to it with \`slipway job logs --follow ${id}\`, end it with \`slipway job cancel ${id}\`.`;
}

/** The exit status of a program that waited for a job: the job's own if it has one. */
export function exitStatusOfJob({ state, exitStatus }: JobStatus): number {
  return state === "succeeded" ? 0 : exitStatus || 1;
}

export function describeJob({ id, state, reason, exitStatus, attempts, items }: JobStatus): string {
  const is = state === "running" || state === "queued" ? `is ${state}` : state;
  if (items) {
    const why = reason === undefined ? "" : `. ${reason}`;
    const failures = items.failures.map((item) => `\n  ${describeItem(item)}`).join("");
    return `job ${id} ${is}: ${countWords(items)}${why}${failures}`;
  }
  const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
  return `job ${id} ${is}${exitStatus === 0 ? "" : statusWords(exitStatus)}${tries}${reasonWords(reason)}`;
}

/** `item 3 (LR=0.1 SEED=7) failed with status 2`. */
function describeItem({ index, values, exitStatus, reason }: FailedItem): string {
  const variables = Object.entries(values).map(([name, value]) => `${name}=${value}`);
  const named = variables.length === 0 ? "" : ` (${variables.join(" ")})`;
  return `item ${index}${named} failed${statusWords(exitStatus)}${reasonWords(reason)}`;
}

function statusWords(status: number | undefined): string {
  return status === undefined ? "" : ` with status ${status}`;
}

function reasonWords(reason: string | undefined): string {
  return reason === undefined ? "" : `: ${reason}`;
}
