import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { syncFolder } from "../core/files.ts";
import { makeFolder } from "./files.ts";
import { createApp } from "./http/app.ts";
import type { Transport } from "./http/context.ts";
import { ClientWatch, IdleWatch } from "./idle.ts";
import type { RegistryPaths } from "./paths.ts";
import { listen, listenOnLoopback } from "./port.ts";
import { RequestLog } from "./request-log.ts";
import type { StoreLayout } from "./store/layout.ts";
import { openStore } from "./store.ts";
import { Tokens } from "./tokens.ts";

/** Milliseconds: interval of the idle check, and time for open requests to finish after a stop. */
const idleCheckInterval = 60 * 1000;
const drainTime = 30 * 1000;

/** Connections at a time per loopback address. */
const mostStrangers = 512;

export interface RunningRegistry {
  /** `localhost:PORT` */
  readonly host: string;
  readonly port: number;
  /** For people, about the start. */
  readonly notice?: string;
  readonly stopped: Promise<void>;
  /** Lets open requests finish. */
  stop(): Promise<void>;
}

/** The caller holds the lock: an existing socket file belongs to a dead server. `stopWhenIdle`: default false. */
export async function startServer(
  paths: RegistryPaths,
  options: { readonly stopWhenIdle?: boolean; readonly now?: () => number } = {},
): Promise<RunningRegistry> {
  const now = options.now ?? Date.now;
  const store = openStore(paths.data, now);
  await prepare(store.layout);

  const tokens = new Tokens(now);
  const idle = new IdleWatch({ now, latestExpiry: () => tokens.latestExpiry });
  const clients = new ClientWatch(now);
  const transports = new WeakMap<IncomingMessage, Transport>();
  const stopped = Promise.withResolvers<void>();
  let port = 0;
  const stopping = new AbortController();
  const stop = (): Promise<void> => {
    if (!stopping.signal.aborted) close().then(stopped.resolve, stopped.reject);
    stopping.abort();
    return stopped.promise;
  };
  const { signal } = stopping;

  const app = createApp({
    store,
    tokens,
    idle,
    clients,
    log: new RequestLog(paths.requests),
    control: {
      host: () => `localhost:${port}`,
      stop: () => void stop().catch(() => {}),
      now,
      clientsSince: () => clients.since,
      signal,
    },
    transportOf: (request) => transports.get(request) ?? "tcp",
  });
  await app.ready();
  const newServer = (transport: Transport): Server => {
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      transports.set(request, transport);
      app.routing(request, response);
    };
    const server = createServer(answer);
    // The client waits for leave to send its body, which the application gives.
    server.on("checkContinue", answer);
    // Other users must not take the descriptors that the owner's socket needs.
    if (transport === "tcp") server.maxConnections = mostStrangers;
    // Blobs can be large. Other limits drop silent clients.
    server.requestTimeout = 0;
    return server;
  };

  const loopback = await listenOnLoopback(paths.port, () => newServer("tcp"));
  port = loopback.port;
  await rm(paths.socket, { force: true });
  const servers = [...loopback.servers, await listen(newServer("socket"), { path: paths.socket })];

  const timer = setInterval(() => {
    if (options.stopWhenIdle && idle.mayStop()) void stop().catch(() => {});
  }, idleCheckInterval);
  timer.unref();

  async function close(): Promise<void> {
    clearInterval(timer);
    const cut = setTimeout(() => {
      for (const server of servers) server.closeAllConnections();
    }, drainTime);
    await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
    clearTimeout(cut);
    await app.close();
    await rm(paths.socket, { force: true });
  }

  const host = `localhost:${port}`;
  const running = { host, port, stopped: stopped.promise, stop };
  if (loopback.taken === undefined) return running;
  const notice = `Port ${loopback.taken} is taken by another program: the embedded registry is at ${host} from now on.`;
  return { ...running, notice };
}

/** Also removes unfinished files of a dead server. */
async function prepare(layout: StoreLayout): Promise<void> {
  await rm(layout.temporary, { recursive: true, force: true });
  for (const folder of [layout.repositories, layout.blobs, layout.temporary]) {
    await makeFolder(folder);
  }
  await syncFolder(layout.root);
}
