import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Failure, UserError } from "../core/errors.ts";
import { heartbeat, patience } from "../core/heartbeat.ts";

/** Other machines cannot reach it. */
const host = "127.0.0.1";

/** Seconds that a connection waits for a pod or container. */
export const connectTime = 60;

export interface OpenOptions {
  readonly port?: number | undefined;
  readonly target?: number | undefined;
  readonly signal: AbortSignal;
  readonly onUrl: (url: string) => void;
  readonly notice: (text: string) => void;
}

/**
 * Listens until the signal aborts, on `preferred` if it is free and no other port was asked for. An error of `join` is
 * printed and closes the connection.
 */
export async function servePort(
  preferred: number,
  { port, signal, onUrl, notice }: OpenOptions,
  join: (client: Socket) => Promise<void>,
): Promise<void> {
  const clients = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (client) => {
    clients.add(client);
    client.on("error", () => client.destroy()).once("close", () => clients.delete(client));
    join(client).catch((error: unknown) => {
      client.destroy();
      if (!signal.aborted) notice((error as Error).message.split("\n", 1)[0] ?? "");
    });
  });
  const listen = async (number: number) => {
    server.listen({ port: number, host });
    await once(server, "listening");
  };
  try {
    await listen(port ?? preferred);
  } catch (cause) {
    const words = (cause as NodeJS.ErrnoException).code ?? String(cause);
    if (port !== undefined) {
      throw new Failure(
        { code: "port-taken", culprit: String(port) },
        `Port ${port} of this machine cannot be opened (${words}).`,
        "Choose another one with --port, or leave it out for any free port.",
        { cause },
      );
    }
    await listen(0);
  }
  try {
    onUrl(`http://${host}:${(server.address() as AddressInfo).port}/`);
    await once(server, "close", { signal });
  } finally {
    server.close();
    for (const client of clients) client.destroy();
  }
}

export function chosenPort(numbers: readonly number[], name: string, target: number | undefined): number {
  const found = target === undefined ? numbers[0] : numbers.find((each) => each === target);
  if (found !== undefined) return found;
  throw new UserError(
    { code: "service-state", culprit: name },
    `Service ${name} has no port${target === undefined ? "" : ` ${target}`}.`,
    numbers.length === 0 ? "Add `port` to its file and apply it." : `It has ${numbers.join(", ")}.`,
  );
}

/** Prints how many connections wait (by their start), unless another notice says why. */
export function tellWaiting(
  name: string,
  what: "pod" | "container",
  waiting: ReadonlyMap<Socket, number>,
  write: OpenOptions["notice"],
  isTold = (): boolean => false,
): ReturnType<typeof heartbeat> {
  return heartbeat(
    () => {
      if (waiting.size === 0 || isTold()) return undefined;
      const some = waiting.size === 1 ? "A connection waits" : `${waiting.size} connections wait`;
      return { words: `${name}: no ${what} is ready. ${some} for one`, since: Math.min(...waiting.values()) };
    },
    { after: patience, write },
  );
}

export function notReached(name: string, what: "pod" | "container", cause: unknown): Failure {
  return new Failure(
    { code: "service-not-ready", culprit: name },
    `No ${what} of service ${name} took a connection within ${connectTime} s.`,
    `\`slipway service status ${name}\` says why.`,
    { cause },
  );
}
