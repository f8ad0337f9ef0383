import type { Socket } from "node:net";
import type { Digest } from "../oci/digest.ts";

/** Milliseconds. After that the registry client asks, which waits longer and reports errors. */
const patience = 2000;

/**
 * One HEAD by hand, since Node's HTTP client takes 8 ms of CPU time for its first request and this 4 ms. The caller has
 * checked `repository` and `digest`. Undefined: no clear answer.
 */
export function hasManifest(
  socketPath: string,
  repository: string,
  digest: Digest,
  limit = patience,
): Promise<boolean | undefined> {
  const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
  const socket: Socket = process.getBuiltinModule("node:net").connect(socketPath);
  const end = (answer: boolean | undefined) => {
    socket.destroy();
    resolve(answer);
  };
  let head = "";
  socket
    .setTimeout(limit, () => end(undefined))
    .setEncoding("latin1")
    .on("error", () => end(undefined))
    .on("close", () => end(undefined))
    .on("data", (text: string) => {
      head += text;
      if (head.includes("\r\n\r\n")) end(answerOf(head, digest));
      else if (head.length > 16_384) end(undefined);
    });
  const url = `/v2/${repository}/manifests/${digest}`;
  socket.write(`HEAD ${url} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n\r\n`);
  return promise;
}

function answerOf(head: string, digest: Digest): boolean | undefined {
  const [status = "", ...headers] = head.slice(0, head.indexOf("\r\n\r\n")).split("\r\n");
  if (status.startsWith("HTTP/1.1 404")) return false;
  const named = headers.some((header) => header.toLowerCase() === `docker-content-digest: ${digest}`);
  return status.startsWith("HTTP/1.1 200") && named ? true : undefined;
}
