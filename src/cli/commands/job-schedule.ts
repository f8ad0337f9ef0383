import process from "node:process";
import { UserError } from "../../core/errors.ts";
import type { Schedule } from "../../jobs/kubernetes/schedule.ts";
import type { ResolvedDeployment } from "../../jobs/model.ts";
import type { Program } from "../../jobs/program.ts";
import type { JobFile } from "./job-file.ts";
import { columns, notice, printJson } from "./output.ts";

/** The modules for clusters, which are large. */
async function openSchedules() {
  const [{ openCluster }, schedules] = await Promise.all([
    import("../../kubernetes/cluster.ts"),
    import("../../jobs/kubernetes/schedule.ts"),
  ]);
  return { cluster: await openCluster(process.env), ...schedules };
}

/** Makes or changes the schedule of a job, and prints its name. */
export async function scheduleJob(
  program: Program,
  { schedule = "", time_zone }: Pick<ResolvedDeployment, "schedule" | "time_zone">,
  copyCredentials: boolean | undefined,
): Promise<void> {
  const { cluster, applySchedule } = await openSchedules();
  const copy = copyCredentials ?? process.env["SLIPWAY_COPY_CREDENTIALS"] === "1";
  const when = { schedule, timeZone: time_zone };
  const done = await applySchedule(cluster, program, when, { copy, env: process.env });
  const { name, state } = done.schedule;
  notice(`schedule ${name} ${done.change}: "${schedule}"${time_zone === undefined ? "" : ` in ${time_zone}`}`);
  if (state === "paused") notice(`it is paused; \`slipway job schedule resume ${name}\` lets it go on`);
  if (done.hasPullSecret && !copy) {
    notice("nodes can pull from the embedded registry for an hour only: set SLIPWAY_REGISTRY to another registry");
  }
  process.stdout.write(`${name}\n`);
}

/** @throws UserError for a schedule on this machine, with the line for cron */
export function refuseSchedule(
  { name, onceCommand: command }: JobFile,
  { schedule = "", time_zone }: ResolvedDeployment,
): never {
  const zone = time_zone === undefined ? "" : `CRON_TZ=${time_zone}\n`;
  throw new UserError(
    { code: "engine-unavailable", culprit: name },
    `${name} has a \`schedule\`, and only Kubernetes runs jobs by the clock.`,
    // In a crontab % ends the command.
    `Run it with --engine kubernetes, or once now with --once. On this machine start \`${command}\` with a systemd timer, or add to \`crontab -e\`:\n${zone}${schedule} ${command.replaceAll("%", "\\%")}`,
  );
}

export async function listJobSchedules({
  json,
  all,
}: {
  readonly json: boolean;
  readonly all: boolean;
}): Promise<void> {
  const { cluster, listSchedules } = await openSchedules();
  const schedules = await listSchedules(cluster, all);
  if (json) return printJson(schedules);
  if (schedules.length === 0) process.stderr.write("There are no schedules.\n");
  else process.stdout.write(scheduleLines(schedules, all));
}

/** One line per schedule, below a line of titles. */
function scheduleLines(schedules: readonly Schedule[], withUser: boolean): string {
  const rows = schedules.map(({ name, schedule, timeZone = "-", state, last = "-", user }) => [
    ...[name, schedule, timeZone, state, last],
    ...(withUser ? [user] : []),
  ]);
  return columns([["NAME", "SCHEDULE", "TIME ZONE", "STATUS", "LAST", ...(withUser ? ["USER"] : [])], ...rows]);
}

export async function pauseJobSchedule(name: string, isPaused: boolean): Promise<void> {
  const { cluster, pauseSchedule } = await openSchedules();
  const { state } = await pauseSchedule(cluster, name, isPaused);
  notice(`schedule ${name} is ${state}`);
}

export async function removeJobSchedule(name: string): Promise<void> {
  const { cluster, removeSchedule } = await openSchedules();
  await removeSchedule(cluster, name);
  notice(`schedule ${name} removed`);
}
