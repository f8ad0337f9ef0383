import process from "node:process";
import { listSchedules, pauseSchedule, removeSchedule } from "../../jobs/kubernetes/schedule.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import { command } from "../command.ts";
import { flag, json, required } from "./options.ts";
import { columns, notice, printJson } from "./output.ts";

const name = required("Name of the schedule, as `job run` and `job schedule ls` print it");

export const ls = command({ all: flag("Also schedules of other users"), json }, async ({ json, all }) => {
  const schedules = await listSchedules(await openCluster(process.env), all);
  if (json) return printJson(schedules);
  if (schedules.length === 0) return void process.stderr.write("There are no schedules.\n");
  const rows = schedules.map(({ name, schedule, timeZone = "-", state, last = "-", user }) => [
    ...[name, schedule, timeZone, state, last],
    ...(all ? [user] : []),
  ]);
  const titles = ["NAME", "SCHEDULE", "TIME ZONE", "STATUS", "LAST", ...(all ? ["USER"] : [])];
  process.stdout.write(columns([titles, ...rows]));
});

export const pause = command({ name }, ({ name }) => setPaused(name, true));

export const resume = command({ name }, ({ name }) => setPaused(name, false));

async function setPaused(name: string, isPaused: boolean): Promise<void> {
  const { state } = await pauseSchedule(await openCluster(process.env), name, isPaused);
  notice(`schedule ${name} is ${state}`);
}

export const rm = command({ name }, async ({ name }) => {
  await removeSchedule(await openCluster(process.env), name);
  notice(`schedule ${name} removed`);
});
