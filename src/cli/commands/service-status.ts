import process from "node:process";
import { printable } from "../../core/printable.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { openServiceEngine } from "../../services/open-engine.ts";
import type { ServiceStatus } from "../../services/status.ts";
import { command } from "../command.ts";
import { optionError } from "../usage-error.ts";
import { shownLog } from "./log-words.ts";
import { flag, json, list, logLines, number } from "./options.ts";
import { columns, notice, printJson, write } from "./output.ts";
import { engine, named } from "./service-options.ts";

const names = list("Names of services. Default: all");

export const status = command({ names, engine, json }, async ({ names, engine, json }) => {
  const statuses = await (await openServiceEngine(engine, process.env)).statuses(names);
  if (json) printJson(statuses);
  else process.stdout.write(statuses.map(format).join(""));
  if (statuses.length === 0) process.stderr.write("There are no services.\n");
});

export const ls = command({ engine, json }, async ({ json, engine }) => {
  const statuses = await (await openServiceEngine(engine, process.env)).statuses();
  const rows = statuses.map(({ name, state, replicas: { ready, wanted }, image }) => {
    return { name, state, ready, wanted, ...(image !== undefined && { image }) };
  });
  if (json) printJson(rows);
  else process.stdout.write(serviceLines(rows));
  if (rows.length === 0) process.stderr.write("There are no services.\n");
});

type ListedService = Record<"name" | "state", string> & Record<"ready" | "wanted", number> & { image?: string };

export function serviceLines(rows: readonly ListedService[]): string {
  return columns(
    rows.map(({ name, state, ready, wanted, image = "" }) => [name, state, `${ready} of ${wanted} ready`, image]),
  );
}

const logOptions = { ...named, follow: flag("Keep printing, also from new pods and containers"), ...logLines };

export const logs = command(logOptions, async (options) => {
  const { name, follow, engine } = options;
  const colors = process.stdout.isTTY && !process.env["NO_COLOR"];
  const shown = { ...shownLog(options), follow, colors };
  const print = (lines: Buffer) => write(process.stdout, lines);
  await untilInterrupted(async (signal) => {
    await (await openServiceEngine(engine, process.env)).logs(name, { ...shown, signal, notice }, print);
  }, "");
});

const openOptions = {
  ...named,
  port: number("Port of this machine. Default: that of the service if it is free, else any"),
  target: number("Port of the service. Default: its first one"),
};

export const open = command(openOptions, async ({ name, engine, ...ports }) => {
  for (const option of ["port", "target"] as const) {
    const value = ports[option];
    if (value === undefined || (Number.isInteger(value) && value > 0 && value < 65_536)) continue;
    throw optionError(
      `--${option}`,
      `--${option} is not the number of a port.`,
      "Give a whole number from 1 to 65535.",
    );
  }
  const { port, target } = ports;
  const onUrl = (url: string) => {
    process.stdout.write(`${url}\n`);
    notice(`${name} is open; press Ctrl-C to close it.`);
  };
  await untilInterrupted(async (signal) => {
    await (await openServiceEngine(engine, process.env)).open(name, { port, target, signal, onUrl, notice });
  }, "");
});

function format({ name, state, replicas, autoscaling, image, reason, endpoints, urls = [] }: ServiceStatus): string {
  const { wanted, ready, old } = replicas;
  const scale = autoscaling ? ` (autoscaled, ${autoscaling.minReplicas} to ${autoscaling.maxReplicas})` : "";
  const before = old === 0 ? "" : `, ${old} of before`;
  return [
    `${name}  ${state}  ${ready} of ${wanted} ready${scale}${before}`,
    ...(image === undefined ? [] : [`  image: ${image}`]),
    ...(reason === undefined ? [] : [`  reason: ${reason}`]),
    ...(endpoints.length === 0 ? [] : [`  endpoints: ${endpoints.join(" ")}`]),
    ...urls.map((url) => `  url: ${url}`),
    "",
  ]
    .map(printable)
    .join("\n");
}
