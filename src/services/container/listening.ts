import { readFile } from "node:fs/promises";

/** The state LISTEN, and addresses of loopback, as Linux writes them. */
const listen = "0A";
const ownAddresses: ReadonlySet<string> = new Set(["0100007F", "00000000000000000000000001000000"]);

/**
 * The TCP ports in the network of a process on which something listens that others reach too: proc(5), `/proc/PID/net/tcp`. None where that
 * cannot be read.
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
