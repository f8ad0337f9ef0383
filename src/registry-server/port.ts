import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo, ListenOptions } from "node:net";
import { replaceFile } from "../core/files.ts";
import { ifMissing, systemCode } from "./errors.ts";

/** Below the ranges of outgoing connections and of Kubernetes' node ports, so that it stays free. */
const firstPort = 20000;
const portCount = 10000;

/** Ports to try before using any free one. */
const attempts = 10;

/**
 * IPv4 and IPv6: another user could take one of them and receive the tokens of clients of `localhost`. `file` remembers
 * the port; if that is taken, the next free one is used, and returned with the former one.
 */
export async function listenOnLoopback(
  file: string,
  newServer: () => Server,
): Promise<{ servers: readonly Server[]; port: number; taken?: number }> {
  const text = await readFile(file, "utf8").catch(ifMissing);
  const remembered = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
  const seed = createHash("sha256").update(file).digest().readUInt32BE();
  const derived = Array.from({ length: attempts }, (_, index) => firstPort + ((seed + index) % portCount));
  for (const wanted of [...(remembered === undefined ? [] : [remembered]), ...derived, ...Array(attempts).fill(0)]) {
    const bound = await listenOn(wanted, newServer);
    if (!bound) continue;
    if (bound.port !== remembered) await replaceFile(file, String(bound.port));
    return { ...bound, ...(remembered === undefined || remembered === bound.port ? {} : { taken: remembered }) };
  }
  throw new Error("no port of 127.0.0.1 and ::1 could be had");
}

async function listenOn(
  wanted: number,
  newServer: () => Server,
): Promise<{ servers: Server[]; port: number } | undefined> {
  const servers: Server[] = [];
  try {
    const first = await listen(newServer(), { port: wanted, host: "127.0.0.1" });
    servers.push(first);
    const { port } = first.address() as AddressInfo;
    try {
      servers.push(await listen(newServer(), { port, host: "::1", ipv6Only: true }));
    } catch (error) {
      // Without IPv6, nobody else can listen on it either.
      if (!["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(systemCode(error) ?? "")) throw error;
    }
    return { servers, port };
  } catch (error) {
    for (const server of servers) server.close();
    if (["EADDRINUSE", "EACCES"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** @throws the server's error */
export async function listen(server: Server, address: ListenOptions): Promise<Server> {
  await once(server.listen(address), "listening");
  return server;
}
