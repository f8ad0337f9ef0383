import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/*
 * Another user's program: `node squatter.ts UID PORT MANNER ADDRESS…`. Becomes that user, listens, and writes a line
 * of JSON for every
 * connection and every request, with all that came.
 */
const [uid = "", port = "", manner = "", ...addresses] = process.argv.slice(2);
process.setgroups?.([]);
process.setgid?.(Number(uid));
process.setuid?.(Number(uid));

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** What the embedded registry would say, or what makes a client go on. */
function answerAsRegistry({ method, url = "", headers }: IncomingMessage, response: ServerResponse): void {
  const host = `localhost:${port}`;
  if (url === "/slipway/status") return void response.end(JSON.stringify({ protocol: 1, host, pid: process.pid }));
  if (url === "/slipway/token")
    return void response.end(JSON.stringify({ token: "x", expiresAt: "2100-01-01T00:00:00Z" }));
  if (headers.authorization === undefined) response.writeHead(401, { "www-authenticate": 'Basic realm="slipway"' });
  else if (method === "HEAD") response.writeHead(404);
  else if (method === "POST") response.writeHead(202, { location: "/v2/probe/blobs/uploads/1" });
  else response.writeHead(method === "GET" ? 200 : 201);
  response.end();
}

const servers = addresses.map((host) => {
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request;
    write({ method, url, headers, body: await text(request) });
    if (manner === "registry") answerAsRegistry(request, response);
    else response.end();
  });
  server.on("connection", () => write({ connected: host }));
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen({ host, port: Number(port), ipv6Only: true }, resolve);
  });
});
await Promise.all(servers);
write({ uid: process.getuid?.() });
