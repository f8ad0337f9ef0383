import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";

/** Ports are published only here: other machines cannot reach it. */
export const loopback = "127.0.0.1";

/** Milliseconds for a connection within this machine. */
const arrival = 1000;

export type HostPorts = ReadonlyMap<number, number>;

/** The predecessor's; else, for the first replica, the same numbers if free; else any. */
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

/** Undefined also if connections do not arrive: a killed container can leave a forwarding rule behind. */
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

/** As Linux writes the state LISTEN and loopback addresses. */
const listen = "0A";
const ownAddresses: ReadonlySet<string> = new Set(["0100007F", "00000000000000000000000001000000"]);

/** The TCP ports that a process exposes beyond loopback, by `/proc/PID/net/tcp`. None if that is unreadable. */
export async function listeningPorts(pid: number): Promise<ReadonlySet<number>> {
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
  );
  const sockets = tables.flatMap((table) => table.trim().split("\n").slice(1));
  return new Set(
    sockets.flatMap((socket) => {
      const [, local = "", , state] = socket.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      return state === listen && !ownAddresses.has(address) ? [Number.parseInt(port, 16)] : [];
    }),
  );
}
