import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request } from "node:https";
import { listen } from "../../../src/registry/client/testdata/listen.ts";
import { ask } from "./kubectl.ts";

/** How a request is dealt with. */
export type Treatment =
  | "pass"
  /** The API server never hears of it, and the connection ends. */
  | "refuse"
  /** The API server never hears of it, and no answer comes. */
  | "stall"
  /** The API server does what it was asked, and no answer comes. */
  | "keep-answer"
  /** The API server does what it was asked, and the connection ends. */
  | "lose-answer";

export interface ApiProxy {
  readonly url: string;
  /** Requests so far: `METHOD PATH`, without query, with `?watch` for a watch. */
  readonly seen: string[];
  /** What is done to a request. */
  treat: (seen: string, index: number) => Treatment;
  /** Called once what {@link treat} says was done to a request that does not pass. */
  onHeld: (seen: string) => void;
  /** Ends all connections there are, whatever they are for. */
  cut: () => void;
}

/** Stands before the cluster's API server, speaks plain HTTP, and hands on who asks. */
export async function apiProxy(): Promise<ApiProxy> {
  const config = await ask("config", "view", "--minify", "--raw");
  const { server: target, "certificate-authority-data": ca } = config["clusters"][0].cluster;
  const authority = ca === undefined ? {} : { ca: Buffer.from(ca, "base64") };

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, treatment: Treatment, seen: string) => {
    const { host: _, ...headers } = incoming.headers;
    const upstream = request(new URL(incoming.url ?? "/", target), { method: incoming.method, headers, ...authority });
    upstream.once("error", () => incoming.socket.destroy());
    // A watch that nobody reads is not kept up.
    outgoing.once("close", () => upstream.destroy());
    incoming.pipe(upstream);
    upstream.once("response", (answer) => {
      if (treatment === "pass") {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        // A watch has begun before anything happens.
        outgoing.flushHeaders();
        answer.pipe(outgoing);
        answer.once("error", () => incoming.socket.destroy());
        return;
      }
      if (treatment === "lose-answer") incoming.socket.destroy();
      proxy.onHeld(seen);
    });
  };
  const server = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "/", target);
    const seen = `${incoming.method} ${url.pathname}${url.searchParams.has("watch") ? "?watch" : ""}`;
    proxy.seen.push(seen);
    const treatment = proxy.treat(seen, proxy.seen.length - 1);
    if (treatment === "refuse") incoming.socket.destroy();
    if (treatment === "stall" || treatment === "refuse") proxy.onHeld(seen);
    else pass(incoming, outgoing, treatment, seen);
  });
  const proxy: ApiProxy = {
    url: `http://127.0.0.1:${await listen(server)}`,
    seen: [],
    treat: () => "pass",
    onHeld: () => {},
    cut: () => server.closeAllConnections(),
  };
  return proxy;
}
