import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** The address at which ports of containers are published: other machines cannot reach it. */
export const loopback = "127.0.0.1";

/** Ports of this machine by ports of a container. */
export type HostPorts = ReadonlyMap<number, number>;

/**
 * Chooses where the ports of one container are published: where its predecessor's were, else, for a service's first container, at the
 * same number where that is free, else anywhere.
 *
 * @param before what its predecessor has, which ends first
 */
export async function chooseHostPorts(
  ports: readonly number[],
  replica: number,
  before: HostPorts,
): Promise<HostPorts> {
  const chosen = new Map<number, number>();
  for (const port of ports) {
    const wanted = replica === 0 && (await isFree(port)) ? port : undefined;
    chosen.set(port, before.get(port) ?? wanted ?? (await anyFree(new Set(chosen.values()))));
  }
  return chosen;
}

async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined;
}

async function anyFree(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = (await listenOnce(0)) ?? 0;
    if (!taken.has(port)) return port;
  }
}

/** The port that was listened on for a moment, or undefined where that is not possible. */
async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen({ port, host: loopback, exclusive: true });
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
