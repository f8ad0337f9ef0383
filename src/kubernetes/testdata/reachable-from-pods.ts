import { once } from "node:events";
import { connect, createServer } from "node:net";
import { onTestFinished } from "vitest";

/**
 * Lets pods reach a port of this machine's loopback interface, at the first address of their network.
 *
 * @param podAddress of any pod
 * @returns `http://HOST:PORT`
 */
export async function reachableFromPods(podAddress: string, port: number): Promise<string> {
  const server = createServer((client) => {
    const there = connect(port, "127.0.0.1");
    for (const socket of [client, there]) socket.on("error", () => {});
    client.pipe(there).pipe(client);
  });
  server.listen(0, podAddress.replace(/\d+$/, "1"));
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return `http://${address.address}:${address.port}`;
}
