import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Cluster } from "../../../src/kubernetes/cluster.ts";
import type { Metadata } from "../../../src/kubernetes/objects.ts";
import { watchAll } from "../../../src/kubernetes/watch.ts";

interface EndpointSlice {
  readonly metadata: Metadata;
  readonly endpoints:
    | readonly { readonly addresses: readonly string[]; readonly conditions?: { readonly ready?: boolean } }[]
    | null;
  readonly ports: readonly { readonly port: number }[] | null;
}

/**
 * What kube-proxy is in other clusters: each connection goes to one of a service's endpoints, in turn, as the API
 * server has them at that time.
 * Where it breaks there, it breaks here.
 */
export async function frontOf({ api, namespace }: Cluster, service: string): Promise<string> {
  const closing = new AbortController();
  let addresses: { readonly host: string; readonly port: number }[] = [];
  const selection = {
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    labelSelector: `kubernetes.io/service-name=${service}`,
  };
  const watching = watchAll<EndpointSlice>(api, selection, { signal: closing.signal }, (slices) => {
    addresses = [...slices.values()].flatMap(({ endpoints, ports }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap((endpoint) => endpoint.addresses.flatMap((host) => (ports ?? []).map(({ port }) => ({ host, port })))),
    );
  });
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const address = addresses[turn++ % addresses.length];
    if (address === undefined) return incoming.destroy();
    const outgoing = connect({ ...address, allowHalfOpen: true });
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.once("error", () => other.destroy());
      one.once("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    closing.abort();
    for (const socket of sockets) socket.destroy();
    server.close();
    await watching;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
