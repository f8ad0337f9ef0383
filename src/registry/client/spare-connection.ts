import type { Agent } from "node:http";
import type { Duplex } from "node:stream";

/** Milliseconds of a first connection from which a host is far away. */
const far = 10;

export interface SpareConnection {
  close(): void;
}

/** Opens a second connection to a far host early: a push that finds its image missing sends two blobs at once. */
export function keepSpare(agent: Agent, threshold = far): SpareConnection {
  type Connect = (
    options: object,
    callback?: (error: Error | null, socket: Duplex) => void,
  ) => Duplex | null | undefined;
  const target = agent as Agent & { createConnection: Connect; getName(options: object): string };
  const connect: Connect = target.createConnection.bind(agent);
  const spares = new Map<string, Duplex | undefined>();
  const discardErrors = () => {};
  target.createConnection = (options, callback) => {
    const name = target.getName(options);
    const spare = spares.get(name);
    if (spare && !spare.destroyed) {
      spares.set(name, undefined);
      spare.off("error", discardErrors);
      (spare as import("node:net").Socket).ref();
      return spare;
    }
    const socket = connect(options, callback);
    if (socket && !spares.has(name)) {
      spares.set(name, undefined);
      const start = performance.now();
      socket.once("connect", () => {
        if (performance.now() - start < threshold) return;
        const second = connect(options) as import("node:net").Socket;
        second.on("error", discardErrors).unref();
        spares.set(name, second);
      });
    }
    return socket;
  };
  return {
    close() {
      for (const spare of spares.values()) spare?.destroy();
    },
  };
}
