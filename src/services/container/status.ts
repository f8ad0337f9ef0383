import type { Environment } from "../../core/environment.ts";
import type { ServiceStatus } from "../status.ts";
import { containersOf, openContainers } from "./apply-file.ts";
import type { Found } from "./containers.ts";
import { replicaName } from "./facts.ts";
import { loopback } from "./ports.ts";
import { askReadiness } from "./ready.ts";

/** @param names empty: all services */
export async function serviceStatuses(env: Environment, names: readonly string[]): Promise<readonly ServiceStatus[]> {
  const containers = await openContainers(env);
  return statusesOf(names.length === 0 ? await containers.list() : await containersOf(containers, names));
}

export async function statusesOf(found: readonly Found[]): Promise<readonly ServiceStatus[]> {
  const names = [...new Set(found.map(({ service }) => service))];
  return Promise.all(
    names.map((name) =>
      statusOfService(
        name,
        found.filter(({ service }) => service === name),
      ),
    ),
  );
}

async function statusOfService(name: string, found: readonly Found[]): Promise<ServiceStatus> {
  // An interrupted change leaves two containers for one replica.
  const places = Map.groupBy(found, ({ replica }) => replica);
  const current = [...places.values()].flatMap(
    (here) => here.find(({ state }) => state === "running") ?? here[0] ?? [],
  );
  const problems = await Promise.all(current.map(problemOf));
  const ready = current.filter((_, index) => problems[index] === undefined);
  const reasons = problems.filter((problem) => problem !== undefined);
  const [first] = current;
  return {
    name,
    state: reasons.length === 0 ? "ready" : "changing",
    replicas: { wanted: current.length, ready: ready.length, old: found.length - current.length },
    ...(first === undefined ? {} : { image: first.facts.image }),
    ...(reasons.length === 0 ? {} : { reason: reasons.join(" ") }),
    endpoints: ready.flatMap(endpointsOf),
  };
}

async function problemOf(found: Found): Promise<string | undefined> {
  const { state, facts, hostPorts, exitCode } = found;
  if (state === "stopping") return `${replicaName(found)} is asked to end, and has not ended yet.`;
  if (state === "created") return `${replicaName(found)} does not run: it was never started.`;
  if (state !== "running") return `${replicaName(found)} does not run: it has ended with status ${exitCode}.`;
  const problem = await askReadiness(facts, hostPorts);
  return problem && `${replicaName(found)} is not ready: ${problem}.`;
}

export function endpointsOf({ facts, hostPorts }: Pick<Found, "facts" | "hostPorts">): readonly string[] {
  return facts.ports.flatMap((port) => {
    const hostPort = hostPorts.get(port);
    return hostPort === undefined ? [] : [`${loopback}:${hostPort}`];
  });
}
