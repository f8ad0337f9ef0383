import { connect, createServer } from "node:net";
import { onTestFinished } from "vitest";

/** Passes connections on to a registry. */
export interface Proxy {
  readonly host: string;
  /** `METHOD /path` of each request, in order, without queries. */
  readonly requests: string[];
  /** Bytes after which a connection is reset, and how many more times. */
  cut: { after: number; times: number };
}

/**
 * @param target `localhost:PORT`, or the path of a Unix socket
 * @param socket the path of a Unix socket to listen at. Default: a port, which `host` names
 */
export async function proxyTo(target: string, socket?: string): Promise<Proxy> {
  const requests: string[] = [];
  const cut = { after: Number.POSITIVE_INFINITY, times: 0 };
  const server = createServer((client) => {
    const upstream = target.startsWith("/") ? connect(target) : connect(Number(target.split(":")[1]), "127.0.0.1");
    let seen = 0;
    client.on("data", (chunk: Buffer) => {
      const line = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE) [^ ?]+/.exec(chunk.toString("latin1", 0, 1000));
      if (line) requests.push(line[0]);
      seen += chunk.length;
      if (seen <= cut.after || cut.times === 0) {
        if (!upstream.write(chunk)) client.pause();
        return;
      }
      cut.times--;
      client.resetAndDestroy();
    });
    upstream.on("drain", () => client.resume());
    upstream.pipe(client);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) =>
    socket === undefined ? server.listen(0, "127.0.0.1", resolve) : server.listen(socket, resolve),
  );
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null) throw new Error("not listening");
  return { host: typeof address === "object" ? `localhost:${address.port}` : address, requests, cut };
}
