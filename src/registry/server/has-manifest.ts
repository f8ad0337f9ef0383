import type { Socket } from "node:net";
import type { Digest } from "../../oci/digest.ts";

/** Milliseconds after which the registry's client asks instead, which waits longer and can say what is wrong. */
const patience = 2000;

/**
 * Whether the embedded registry has a manifest: one HEAD over its socket.
 *
 * The request is written by hand, since everyone waits for a launch in which nothing changed: Node's HTTP client takes 8 ms of processor time to be
 * loaded and to make its first request, this 4 (medians of 40 runs), and both ends are ours.
 *
 * @param repository, digest checked before: they become part of the request as they are
 * @returns undefined when the answer is anything else than yes or no, or there is none
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
