import { readFile } from "node:fs/promises";

/** As Linux writes the state LISTEN and loopback addresses. */
const listen = "0A";
const ownAddresses: ReadonlySet<string> = new Set(["0100007F", "00000000000000000000000001000000"]);

/**
 * The TCP ports that a process's network exposes beyond loopback, from `/proc/PID/net/tcp` (proc(5)). None
 * if that is unreadable.
 */
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
