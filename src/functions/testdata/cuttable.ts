import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { parse } from "yaml";
import { kubeconfig, type TestCluster } from "../../kubernetes/testdata/cluster.ts";

interface Cuttable {
  readonly env: Record<string, string>;
  readonly cut: () => void;
  /** Holds back what is sent, for so many milliseconds. */
  readonly hold: (milliseconds: number) => void;
}

/** The environment of a user whose connections to the API server can be cut and delayed. */
export async function cuttable({ env }: TestCluster): Promise<Cuttable> {
  const config = parse(readFileSync(kubeconfig, "utf8"));
  const [{ cluster }] = config.clusters;
  const target = new URL(cluster.server);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const there = connect(Number(target.port), target.hostname);
    for (const socket of [client, there]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(socket);
          client.destroy();
          there.destroy();
        });
    }
    client.pipe(there).pipe(client);
  });
  server.listen(0, target.hostname);
  await once(server, "listening");
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const hold = (milliseconds: number) => {
    for (const socket of sockets) {
      socket.pause();
      setTimeout(() => socket.resume(), milliseconds);
    }
  };
  onTestFinished(() => {
    server.close();
    cut();
  });
  cluster.server = `https://${target.hostname}:${(server.address() as { port: number }).port}`;
  const path = join(env["HOME"] ?? "", "cuttable");
  writeFileSync(path, JSON.stringify(config));
  return { env: { ...env, KUBECONFIG: path }, cut, hold };
}
