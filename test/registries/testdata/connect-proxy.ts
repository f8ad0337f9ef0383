import { createServer } from "node:http";
import { connect } from "node:net";
import { listen } from "../../../src/registry/client/testdata/listen.ts";

/** An HTTP proxy that leads every CONNECT to one place on this machine. */
export async function connectProxy(host: string): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((_, response) => void response.writeHead(403).end());
  server.on("connect", (request, socket) => {
    asked.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
    const upstream = connect(Number(host.split(":")[1]), "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    for (const end of [upstream, socket]) end.on("error", () => {});
    upstream.pipe(socket).pipe(upstream);
    upstream.on("close", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
  });
  return { url: `http://u:geheim@127.0.0.1:${await listen(server)}`, asked };
}
