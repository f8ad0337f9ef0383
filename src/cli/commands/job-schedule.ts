import process from "node:process";
import { listSchedules, pauseSchedule, removeSchedule } from "../../jobs/kubernetes/schedule.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import { columns, notice, printJson } from "./output.ts";

export async function list({ json, all }: { readonly json: boolean; readonly all: boolean }): Promise<void> {
  const schedules = await listSchedules(await openCluster(process.env), all);
  if (json) return printJson(schedules);
  if (schedules.length === 0) return void process.stderr.write("There are no schedules.\n");
  const rows = schedules.map(({ name, schedule, timeZone = "-", state, last = "-", user }) => [
    ...[name, schedule, timeZone, state, last],
    ...(all ? [user] : []),
  ]);
  const titles = ["NAME", "SCHEDULE", "TIME ZONE", "STATUS", "LAST", ...(all ? ["USER"] : [])];
  process.stdout.write(columns([titles, ...rows]));
}

export async function pause(name: string, isPaused: boolean): Promise<void> {
  const { state } = await pauseSchedule(await openCluster(process.env), name, isPaused);
  notice(`schedule ${name} is ${state}`);
}

export async function remove(name: string): Promise<void> {
  await removeSchedule(await openCluster(process.env), name);
  notice(`schedule ${name} removed`);
}
