import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "../../core/environment.ts";
import { chosenPort, connectTime, notReached, type OpenOptions, servePort } from "../open-port.ts";
import { containersOf, openContainers } from "./apply-file.ts";
import type { Containers, Found } from "./containers.ts";
import { loopback } from "./ports.ts";

/** Milliseconds between attempts to reach a container. */
const interval = 250;

/**
 * Forwards a port of this machine to the published ports of a service's containers until it is aborted.
 *
 * @throws UserError when there is no such service, or it has no such port
 */
export async function openService(env: Environment, name: string, options: OpenOptions): Promise<void> {
  const containers = await openContainers(env);
  await forward(containers, name, await containersOf(containers, [name]), options);
}

/** As {@link openService}, with what was found. */
export async function forward(
  containers: Containers,
  name: string,
  found: readonly Found[],
  options: OpenOptions,
): Promise<void> {
  const { target, signal } = options;
  let ports = hostPortsOf(found, name, target);
  let turn = 0;
  /** Those that nobody took stand in line: a load of thousands must not ask podman, nor meet a container that just started, all at once. */
  let line = Promise.resolve();
  let waiting = 0;
  const join = async (client: Socket) => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(connectTime * 1000)]);
    let last: unknown;
    const isJoined = async () => {
      const port = ports[turn++ % ports.length];
      try {
        if (port !== undefined) pipe(client, await connectTo(port));
        return port !== undefined;
      } catch (error) {
        last = error;
        return false;
      }
    };
    if (waiting === 0 && (await isJoined())) return;
    waiting += 1;
    const joined = line.then(async () => {
      while (!client.destroyed && !(await isJoined())) {
        if (late.aborted) throw notReached(name, "container", last);
        await delay(interval, undefined, { signal: late }).catch(() => {});
        // A container that took the place of another may have other ports.
        const now = await containers.list(name);
        ports = now.length === 0 ? [] : hostPortsOf(now, name, target);
      }
    });
    line = joined
      .catch(() => {})
      .finally(() => {
        waiting -= 1;
      });
    await joined;
  };
  await servePort(chosenPort(found[0]?.facts.ports ?? [], name, target), options, join);
}

/** The ports of this machine behind which the containers that run have a port. */
function hostPortsOf(found: readonly Found[], name: string, target: number | undefined): readonly number[] {
  return found
    .filter(({ state }) => state === "running")
    .flatMap(({ hostPorts, facts }) => hostPorts.get(chosenPort(facts.ports, name, target)) ?? []);
}

async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: loopback, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

function pipe(client: Socket, server: Socket): void {
  client.pipe(server).on("error", () => client.destroy());
  server.pipe(client).once("close", () => server.destroy());
}
