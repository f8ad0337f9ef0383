import process from "node:process";
import { parseDuration } from "../../config/quantity.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { cancelJob, pruneJobs, removeJobs } from "../../jobs/control-jobs.ts";
import { engineOf } from "../../jobs/engines.ts";
import { describeJob } from "../../jobs/follow-job.ts";
import { isKubernetesId } from "../../jobs/kubernetes/id.ts";
import { command } from "../command.ts";
import { optionError, requireWhole } from "../usage-error.ts";
import { follow as followJob } from "./job-run.ts";
import { shownLog } from "./log-words.ts";
import { flag, json, logLines, number, required } from "./options.ts";
import { notice, printJson, write } from "./output.ts";

const id = required("Job ID, as `job run` and `job ls` print it");

export const status = command({ id, json }, async ({ id, json }) => {
  const status = await (await engineOf(id, notice)).status(id);
  if (json) printJson(status);
  else process.stdout.write(`${describeJob(status)}\n`);
});

const logOptions = {
  id,
  follow: flag("Wait until the job ends, and exit with its status"),
  item: number("Only this item of a job with a matrix, by its number"),
  ...logLines,
};

export const logs = command(logOptions, async ({ id, follow, tail, since, timestamps, item }) => {
  if (!isKubernetesId(id) && (since !== undefined || timestamps)) {
    const option = since === undefined ? "--timestamps" : "--since";
    const problem = `${option} is for jobs on Kubernetes: this machine notes no times of what ${id} printed.`;
    throw optionError(option, problem, "Leave it out, or give --tail.");
  }
  if (item !== undefined && !isKubernetesId(id)) {
    throw optionError("--item", `Job ${id} has no items.`, "Leave --item out.");
  }
  requireWhole("--item", item, 0, "the number of an item", "Give a whole number, such as 0.");
  const shown = { ...shownLog({ tail, since, timestamps }), item };
  const engine = await engineOf(id, notice);
  // An item has only output: the job has the status.
  if (follow && item === undefined) return followJob(engine, id, await engine.isFunction(id), shown);
  await untilInterrupted(async (signal) => {
    for await (const { stream, data } of engine.logs(id, { ...shown, follow, signal })) {
      await write(stream === "stdout" ? process.stdout : process.stderr, data);
    }
  }, "");
});

export const cancel = command({ id }, async ({ id }) => notice(describeJob(await cancelJob(id, notice))));

export const rm = command({ ids: { ...required("Job IDs"), array: true } }, ({ ids }) => removeJobs(ids, notice));

const time = {
  type: "string",
  default: "7d",
  describe: "Time since they ended, such as 90s, 12h or 7d; 0 for all. After 30 days they are removed automatically",
} as const;

export const prune = command({ "older-than": time }, async ({ olderThan }) => {
  const seconds = olderThan === "0" ? 0 : parseDuration(olderThan);
  if (seconds === undefined) {
    const problem = `--older-than: ${olderThan} is not a duration.`;
    throw optionError("--older-than", problem, "Write it like 90s, 12h, 7d, or 0 for all.");
  }
  for await (const id of pruneJobs(seconds, notice)) process.stdout.write(`${id}\n`);
});
