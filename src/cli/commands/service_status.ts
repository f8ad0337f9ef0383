import process from "node:process";
import { openCluster } from "../../engine/kubernetes/cluster.ts";
import { showServiceLogs } from "../../service/kubernetes/logs.ts";
import { serviceStatuses } from "../../service/kubernetes/status.ts";
import type { ServiceStatus } from "../../service/status.ts";
import { untilInterrupted } from "./interrupt.ts";

/** Tells how services are. */
export async function showStatuses({
  names = [],
  json,
}: {
  readonly names?: readonly string[] | undefined;
  readonly json: boolean;
}): Promise<void> {
  const statuses = await serviceStatuses(await openCluster(process.env), names);
  if (json) process.stdout.write(`${JSON.stringify(statuses, undefined, 2)}\n`);
  else process.stdout.write(statuses.map(format).join(""));
  if (statuses.length === 0) process.stderr.write("There are no services.\n");
}

/** Shows what the pods of a service print. */
export async function showLogs({ name, follow }: { readonly name: string; readonly follow: boolean }): Promise<void> {
  const notice = (text: string) => void process.stderr.write(`slipway: ${text}\n`);
  await untilInterrupted(async (signal) => {
    await showServiceLogs(await openCluster(process.env), name, { follow, signal, notice }, write);
  }, "");
}

/** A line on what it is, and one each on what more is known. */
function format({ name, state, replicas, autoscaling, image, reason, endpoints }: ServiceStatus): string {
  const { wanted, ready, old } = replicas;
  const scale = autoscaling ? ` (autoscaled, ${autoscaling.minReplicas} to ${autoscaling.maxReplicas})` : "";
  const before = old === 0 ? "" : `, ${old} of before`;
  return [
    `${name}  ${state}  ${ready} of ${wanted} ready${scale}${before}`,
    ...(image === undefined ? [] : [`  image: ${image}`]),
    ...(reason === undefined ? [] : [`  reason: ${reason}`]),
    ...(endpoints.length === 0 ? [] : [`  endpoints: ${endpoints.join(" ")}`]),
    "",
  ].join("\n");
}

/** Writes, and waits where the reader is slow. */
async function write(lines: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    process.stdout.write(lines, (error) => (error ? reject(error) : resolve())),
  );
}
