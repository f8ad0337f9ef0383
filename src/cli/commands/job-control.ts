import process from "node:process";
import { parseDuration } from "../../config/quantity.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { cancelJob, pruneJobs } from "../../jobs/control-jobs.ts";
import { engineOf } from "../../jobs/engines.ts";
import { describeJob } from "../../jobs/follow-job.ts";
import { isKubernetesId } from "../../jobs/kubernetes/id.ts";
import { optionError } from "../usage-error.ts";
import { follow as followJob } from "./job-run.ts";
import { type LogWords, shownLog } from "./log-words.ts";
import { notice, printJson, write } from "./output.ts";

interface JobId {
  readonly id: string;
}

export async function showStatus({ id, json }: JobId & { readonly json: boolean }): Promise<void> {
  const status = await (await engineOf(id, notice)).status(id);
  if (json) printJson(status);
  else process.stdout.write(`${describeJob(status)}\n`);
}

export async function showLogs({
  id,
  follow,
  tail,
  since,
  timestamps,
  item,
}: LogWords & JobId & { readonly follow: boolean; readonly item?: number | undefined }): Promise<void> {
  if (!isKubernetesId(id) && (since !== undefined || timestamps)) {
    const option = since === undefined ? "--timestamps" : "--since";
    const problem = `${option} is for jobs on Kubernetes: this machine notes no times of what ${id} printed.`;
    throw optionError(option, problem, "Leave it out, or give --tail.");
  }
  requireItemNumber(id, item);
  const shown = { ...shownLog({ tail, since, timestamps }), item };
  const engine = await engineOf(id, notice);
  // An item has only output: the job has the status.
  if (follow && item === undefined) return followJob(engine, id, await engine.isFunction(id), shown);
  await untilInterrupted(async (signal) => {
    for await (const { stream, data } of engine.logs(id, { ...shown, follow, signal })) {
      await write(stream === "stdout" ? process.stdout : process.stderr, data);
    }
  }, "");
}

function requireItemNumber(id: string, item: number | undefined): void {
  if (item === undefined) return;
  if (!isKubernetesId(id)) throw optionError("--item", `Job ${id} has no items.`, "Leave --item out.");
  if (Number.isInteger(item) && item >= 0) return;
  throw optionError("--item", "--item is not the number of an item.", "Give a whole number, such as 0.");
}

export async function cancel({ id }: JobId): Promise<void> {
  notice(describeJob(await cancelJob(id, notice)));
}

export async function prune({ olderThan }: { readonly olderThan: string }): Promise<void> {
  const seconds = olderThan === "0" ? 0 : parseDuration(olderThan);
  if (seconds === undefined) {
    const problem = `--older-than: ${olderThan} is not a duration.`;
    throw optionError("--older-than", problem, "Write it like 90s, 12h, 7d, or 0 for all.");
  }
  for await (const id of pruneJobs(seconds, notice)) process.stdout.write(`${id}\n`);
}
