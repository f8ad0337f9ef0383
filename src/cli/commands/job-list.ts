import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { listAllJobs } from "../../jobs/control-jobs.ts";
import type { ListedJob } from "../../jobs/engine.ts";
import { command, type Given } from "../command.ts";
import { requireWhole } from "../usage-error.ts";
import { flag, number } from "./options.ts";
import { columns, durationText, notice, printJson } from "./output.ts";

const specs = {
  last: number("List only the newest, so many"),
  watch: flag("List again when something changes, until interrupted"),
  all: flag("Also jobs of other users in the cluster's namespace"),
  json: flag("Print JSON; with --watch an object per line for each job that changed"),
};

type ListOptions = Given<typeof specs>;

/** Milliseconds between lists with `--watch`. */
const interval = 2000;

export const ls = command(specs, async (options) => {
  const { json, all, watch, last } = options;
  requireWhole("--last", last, 1, "a number of jobs", "Give a whole number above 0.");
  if (watch) return watchJobs(options);
  const jobs = await newest({ all, last }, notice);
  if (json) printJson(jobs);
  else process.stdout.write(jobLines(jobs, all, Date.now()));
  if (jobs.length === 0) process.stderr.write("There are no jobs.\n");
});

async function newest(
  { all, last }: Pick<ListOptions, "all" | "last">,
  tell: (text: string) => void,
): Promise<readonly ListedJob[]> {
  const jobs = (await listAllJobs(all, tell)).sort(
    (one, other) => Date.parse(one.submitted) - Date.parse(other.submitted),
  );
  return last === undefined ? jobs : jobs.slice(-last);
}

/** Lists jobs until it is interrupted: on a terminal the whole list each time, else each job that changed. */
async function watchJobs({ json, all, last }: ListOptions): Promise<void> {
  const isScreen = process.stdout.isTTY && !json;
  const told = new Set<string>();
  const tell = (text: string) => {
    if (!told.has(text)) notice(text);
    told.add(text);
  };
  let before = new Map<string, string>();
  let isFirst = true;
  await untilInterrupted(async (signal) => {
    for (;;) {
      const jobs = await newest({ all, last }, tell);
      const now = new Map(jobs.map((job) => [job.id, JSON.stringify(job)]));
      const fresh = jobs.filter(({ id }) => before.get(id) !== now.get(id));
      // From the top left corner, over what was there.
      if (isScreen) {
        process.stdout.write(Buffer.from("\u001b[H\u001b[2J"));
        process.stdout.write(jobLines(jobs, all, Date.now()));
      } else if (json) for (const job of fresh) process.stdout.write(`${JSON.stringify(job)}\n`);
      else process.stdout.write(jobLines(fresh, all, Date.now(), isFirst));
      before = now;
      isFirst = false;
      await delay(interval, undefined, { signal });
    }
  }, "");
}

export function jobLines(jobs: readonly ListedJob[], withUser: boolean, now: number, hasTitles = true): string {
  if (jobs.length === 0) return "";
  const rows = jobs.map((job) => [
    job.id,
    job.name,
    job.engine,
    stateOf(job),
    job.started?.replace(/\.\d+Z$/, "Z") ?? "-",
    duration(job, now),
    ...(withUser ? [job.user] : []),
  ]);
  const titles = ["ID", "NAME", "ENGINE", "STATUS", "STARTED", "DURATION", ...(withUser ? ["USER"] : [])];
  return columns(hasTitles ? [titles, ...rows] : rows);
}

/** With a matrix: `running 3/12`, of which 3 have ended. */
function stateOf({ state, items }: ListedJob): string {
  return items === undefined ? state : `${state} ${items.succeeded + items.failed}/${items.total}`;
}

function duration({ started, ended, state }: ListedJob, now: number): string {
  if (started === undefined || (ended === undefined && state !== "running")) return "-";
  return durationText(((ended === undefined ? now : Date.parse(ended)) - Date.parse(started)) / 1000);
}
