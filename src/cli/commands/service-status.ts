import process from "node:process";
import { printable } from "../../core/printable.ts";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import { type ServiceEngine, serviceEngine } from "../../services/engine.ts";
import type { ServiceStatus } from "../../services/status.ts";
import { type LogWords, shownLog } from "./log-words.ts";
import { columns, notice, printJson, write } from "./output.ts";

/** Prints the state of services. */
export async function showStatuses({
  names = [],
  json,
  engine,
}: {
  readonly names?: readonly string[] | undefined;
  readonly json: boolean;
  readonly engine?: ServiceEngine | undefined;
}): Promise<void> {
  const statuses = await statusesOf(names, engine);
  if (json) printJson(statuses);
  else process.stdout.write(statuses.map(format).join(""));
  if (statuses.length === 0) process.stderr.write("There are no services.\n");
}

/** Lists services: name, state, replicas and image. */
export async function listServices({
  json,
  engine,
}: {
  readonly json: boolean;
  readonly engine?: ServiceEngine | undefined;
}): Promise<void> {
  const statuses = await statusesOf([], engine);
  const rows = statuses.map(({ name, state, replicas: { ready, wanted }, image }) => ({
    name,
    state,
    ready,
    wanted,
    ...(image === undefined ? {} : { image }),
  }));
  if (json) printJson(rows);
  else process.stdout.write(serviceLines(rows));
  if (rows.length === 0) process.stderr.write("There are no services.\n");
}

/** A service in the output of `service ls`. */
interface ListedService {
  readonly name: string;
  readonly state: string;
  readonly ready: number;
  readonly wanted: number;
  readonly image?: string;
}

/** One line per service, in columns. */
export function serviceLines(rows: readonly ListedService[]): string {
  return columns(
    rows.map(({ name, state, ready, wanted, image = "" }) => [name, state, `${ready} of ${wanted} ready`, image]),
  );
}

/** The state of services. Without names: of all. */
export async function statusesOf(
  names: readonly string[],
  engine: ServiceEngine | undefined,
): Promise<readonly ServiceStatus[]> {
  if (serviceEngine(engine, process.env) === "container") {
    const { serviceStatuses } = await import("../../services/container/status.ts");
    return serviceStatuses(process.env, names);
  }
  const { openCluster } = await import("../../kubernetes/cluster.ts");
  const { serviceStatuses } = await import("../../services/kubernetes/status.ts");
  return serviceStatuses(await openCluster(process.env), names);
}

/** Prints the output of a service's pods or containers. */
export async function showLogs({
  name,
  follow,
  engine,
  tail,
  since,
  timestamps,
}: LogWords & {
  readonly name: string;
  readonly follow: boolean;
  readonly engine?: ServiceEngine | undefined;
}): Promise<void> {
  const colors = process.stdout.isTTY && !process.env["NO_COLOR"];
  const shown = { ...shownLog({ tail, since, timestamps }), follow, colors };
  const print = (lines: Buffer) => write(process.stdout, lines);
  await untilInterrupted(async (signal) => {
    if (serviceEngine(engine, process.env) === "container") {
      const { showServiceLogs } = await import("../../services/container/logs.ts");
      return showServiceLogs(process.env, name, { ...shown, signal }, print);
    }
    const { openCluster } = await import("../../kubernetes/cluster.ts");
    const { showServiceLogs } = await import("../../services/kubernetes/logs.ts");
    await showServiceLogs(await openCluster(process.env), name, { ...shown, signal, notice }, print);
  }, "");
}

/** A summary line, then one line per detail. */
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
