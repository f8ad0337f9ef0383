import process from "node:process";
import { printable } from "../../core/printable.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { type EngineName, openServiceEngine } from "../../services/open-engine.ts";
import type { OpenOptions } from "../../services/open-port.ts";
import type { ServiceStatus } from "../../services/status.ts";
import { optionError } from "../usage-error.ts";
import { type LogWords, shownLog } from "./log-words.ts";
import { columns, notice, printJson, write } from "./output.ts";

interface EngineOptions {
  readonly engine?: EngineName | undefined;
}

interface NamedOptions extends EngineOptions {
  readonly name: string;
}

export async function showStatuses(
  options: EngineOptions & { readonly names?: readonly string[] | undefined; readonly json: boolean },
): Promise<void> {
  const statuses = await (await openServiceEngine(options.engine, process.env)).statuses(options.names);
  if (options.json) printJson(statuses);
  else process.stdout.write(statuses.map(format).join(""));
  if (statuses.length === 0) process.stderr.write("There are no services.\n");
}

export async function listServices({ json, engine }: EngineOptions & { readonly json: boolean }): Promise<void> {
  const statuses = await (await openServiceEngine(engine, process.env)).statuses();
  const rows = statuses.map(({ name, state, replicas: { ready, wanted }, image }) => {
    return { name, state, ready, wanted, ...(image !== undefined && { image }) };
  });
  if (json) printJson(rows);
  else process.stdout.write(serviceLines(rows));
  if (rows.length === 0) process.stderr.write("There are no services.\n");
}

type ListedService = Record<"name" | "state", string> & Record<"ready" | "wanted", number> & { image?: string };

export function serviceLines(rows: readonly ListedService[]): string {
  return columns(
    rows.map(({ name, state, ready, wanted, image = "" }) => [name, state, `${ready} of ${wanted} ready`, image]),
  );
}

export async function showLogs(options: LogWords & NamedOptions & { readonly follow: boolean }): Promise<void> {
  const { name, follow, engine } = options;
  const colors = process.stdout.isTTY && !process.env["NO_COLOR"];
  const shown = { ...shownLog(options), follow, colors };
  const print = (lines: Buffer) => write(process.stdout, lines);
  await untilInterrupted(async (signal) => {
    await (await openServiceEngine(engine, process.env)).logs(name, { ...shown, signal, notice }, print);
  }, "");
}

export async function openByName({
  name,
  engine,
  ...ports
}: NamedOptions & Pick<OpenOptions, "port" | "target">): Promise<void> {
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
}

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
