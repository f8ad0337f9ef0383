import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Environment } from "../../core/environment.ts";
import { chosenPort, connectTime, notReached, type OpenOptions, servePort, tellWaiting } from "../open-port.ts";
import { containersOf, openContainers } from "./apply-file.ts";
import type { Containers, Found } from "./containers.ts";
import { loopback } from "./ports.ts";

const interval = 250;
const attempts = 3;
/** Bytes of a request to keep until a container answers. */
const maximumKept = 64 * 1024;
/** A request without a body, which a proxy may repeat (RFC 9110, 9.2.2). */
const repeatable = /^(GET|HEAD|OPTIONS) (?!.*\r\n\r\n.).*\r\n\r\n$/s;

export async function openService(env: Environment, name: string, options: OpenOptions): Promise<void> {
  const containers = await openContainers(env);
  await forward(containers, name, await containersOf(containers, [name]), options);
}

export async function forward(containers: Containers, name: string, found: readonly Found[], options: OpenOptions) {
  const { target, signal, notice } = options;
  let ports = hostPortsOf(found, name, target);
  let turn = 0;
  /** Waiting connections form a line: thousands at once would overload podman and a new container. */
  let line = Promise.resolve();
  const waiting = new Map<Socket, number>();
  const reach = async (client: Socket): Promise<Socket | undefined> => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(connectTime * 1000)]);
    let last: unknown;
    const connected = async () => {
      const port = ports[turn++ % ports.length];
      try {
        return port === undefined ? undefined : await connectTo(port);
      } catch (error) {
        last = error;
        return undefined;
      }
    };
    const first = waiting.size === 0 ? await connected() : undefined;
    if (first !== undefined) return first;
    waiting.set(client, Date.now());
    client.once("close", () => waiting.delete(client));
    const reached = line.then(async () => {
      while (!client.destroyed) {
        const server = await connected();
        if (server !== undefined) return server;
        if (late.aborted) throw notReached(name, "container", last);
        await delay(interval, undefined, { signal: late }).catch(() => {});
        // A successor may have other ports.
        const now = await containers.list(name);
        ports = now.length === 0 ? [] : hostPortsOf(now, name, target);
      }
      return undefined;
    });
    line = reached
      .then(
        () => {},
        () => {},
      )
      .finally(() => waiting.delete(client));
    return reached;
  };
  const join = async (client: Socket) => {
    let said: Buffer | undefined = Buffer.alloc(0);
    for (let attempt = 1; said !== undefined && !client.destroyed; attempt += 1) {
      const server = await reach(client);
      if (server === undefined) return;
      said = await exchange(client, server, said, attempt < attempts);
    }
  };
  using _notice = tellWaiting(name, "container", waiting, notice);
  await servePort(chosenPort(found[0]?.facts.ports ?? [], name, target), options, join);
}

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

/**
 * @param before what the client sent to a container that did not answer
 * @returns what to send to another one, if this one ended without an answer to a repeatable request
 */
async function exchange(
  client: Socket,
  server: Socket,
  before: Buffer,
  isRepeated: boolean,
): Promise<Buffer | undefined> {
  let said: Buffer | undefined = isRepeated ? before : undefined;
  const keep = (data: Buffer) => {
    said = said && said.length < maximumKept ? Buffer.concat([said, data]) : undefined;
  };
  const rest = () => (said !== undefined && repeatable.test(said.toString("latin1")) ? said : undefined);
  const ended = new Promise<void>((resolve) => server.once("close", resolve));
  const leave = () => server.destroy();
  server.on("error", () => rest() ?? client.destroy());
  server.once("end", () => rest() ?? client.end());
  server.once("data", () => {
    said = undefined;
  });
  client.on("data", keep).once("close", leave);
  server.write(before);
  client.pipe(server);
  server.pipe(client, { end: false });
  await ended;
  client.unpipe(server).off("data", keep).off("close", leave).pause();
  return client.destroyed ? undefined : rest();
}
