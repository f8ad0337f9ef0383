/**
 * An HTTP server that can be replaced while it has requests: it says when it is ready for them, and ends after the last one.
 *
 *     curl http://127.0.0.1:8080/you      Hello, you!
 */
import { createServer } from "node:http";
import { hostname } from "node:os";

const { GREETING = "Good day", PORT = "8080" } = process.env;
let isEnding = false;

const server = createServer((request, response) => {
  // Whoever keeps a connection open would find nobody at its end.
  if (isEnding) response.setHeader("connection", "close");
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("server", hostname());
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  if (pathname === "/ready") response.writeHead(isEnding ? 503 : 200).end(isEnding ? "ending\n" : "ready\n");
  else response.end(`${GREETING}, ${pathname.slice(1) || "world"}!\n`);
});

server.listen(Number(PORT), () => console.log(`listening on ${PORT}`));

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    isEnding = true;
    console.log("ending after the requests that are there");
    // Connections without a request are closed at once, the others after their answer.
    server.close(() => process.exit());
  });
}
