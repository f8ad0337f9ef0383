import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** The address at which ports of containers are published: other machines cannot reach it. */
export const loopback = "127.0.0.1";

/** Milliseconds that a connection within this machine may take to arrive. */
const arrival = 1000;

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
    const wanted = replica === 0 ? await tryPort(port) : undefined;
    chosen.set(port, before.get(port) ?? wanted ?? (await anyFree(new Set(chosen.values()))));
  }
  return chosen;
}

async function anyFree(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = await tryPort(0);
    if (port !== undefined && !taken.has(port)) return port;
  }
}

/**
 * The port that was listened on for a moment, or undefined where that is not possible, or where connections do not arrive: a container
 * that was killed leaves a rule that leads its port to an address nobody has.
 */
async function tryPort(wanted: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen({ port: wanted, host: loopback, exclusive: true });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = connect(port, loopback);
    try {
      const signal = AbortSignal.timeout(arrival);
      const [[accepted]] = await Promise.all([
        once(server, "connection", { signal }),
        once(client, "connect", { signal }),
      ]);
      accepted.destroy();
      return port;
    } finally {
      client.destroy();
    }
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}
