import { Readable } from "node:stream";
import { expect, it } from "vitest";
import type { Api, Asked } from "../../kubernetes/api.ts";
import { refusalError } from "../../kubernetes/api-error.ts";
import { serviceLabel } from "./manifest.ts";
import { waitUntilReady } from "./wait.ts";

const refusal = (status: number) =>
  refusalError({ method: "GET", path: "/", context: "c", server: "s", user: "u" }, status, "");

/** Objects of a service that is not ready: a Deployment, its newest set, a pod. */
function notReady(name: string, status: object) {
  const metadata = (more: object) => ({ name, uid: name, labels: { [serviceLabel]: name, ...more } });
  const annotations = { "deployment.kubernetes.io/revision": "1" };
  return {
    deployments: {
      metadata: { ...metadata({}), annotations, generation: 1 },
      spec: { replicas: 1, template: { spec: { containers: [] } } },
      status: { observedGeneration: 1 },
    },
    replicasets: {
      metadata: { ...metadata({ "pod-template-hash": "h" }), annotations, ownerReferences: [{ uid: name }] },
    },
    pods: { metadata: metadata({ "pod-template-hash": "h" }), spec: { nodeName: "n", containers: [] }, status },
  };
}

/** A cluster that has services, and answers what else it is asked in its own way. */
function clusterOf(services: readonly ReturnType<typeof notReady>[], other: (asked: Asked, path: string) => unknown) {
  const api = {
    ask: async (_method: string, path: string, asked: Asked) => {
      const kind = path.split("/").at(-1) as "deployments" | "replicasets" | "pods";
      if (kind in (services[0] ?? {})) return { metadata: {}, items: services.map((service) => service[kind]) };
      return other(asked, path);
    },
    stream: async (path: string, asked: Asked) => {
      if (path.endsWith("/log")) return other(asked, path);
      return new Readable({ read() {}, ...(asked.signal ? { signal: asked.signal } : {}) });
    },
  };
  return { api: api as unknown as Api, namespace: "n" };
}

const options = { timeLimit: 0.2, notice: () => {} };

it("goes on where a node does not say what a program printed", async () => {
  const ended = { name: "main", restartCount: 1, lastState: { terminated: { exitCode: 3 } }, state: { waiting: {} } };
  const place = clusterOf([notReady("web", { phase: "Running", containerStatuses: [ended] })], (_asked, path) => {
    if (path.endsWith("/events")) return { metadata: {}, items: [] };
    throw refusal(500);
  });
  expect(await waitUntilReady(place, ["web"], options)).toEqual(
    new Map([["web", expect.stringMatching(/^It is not ready after 0.2 s\. .* ended with status 3, /)]]),
  );
});

it("goes on where the server does not answer for a while", async () => {
  const place = clusterOf([notReady("web", { phase: "Pending" })], () => {
    throw refusal(503);
  });
  expect(await waitUntilReady(place, ["web"], options)).toEqual(new Map([["web", "It is not ready after 0.2 s."]]));
});

it("ends for all services where waiting for one fails", async () => {
  let left: AbortSignal | undefined;
  const pending = { phase: "Pending" };
  const place = clusterOf([notReady("one", pending), notReady("two", pending)], ({ query, signal }) => {
    if (query?.["fieldSelector"] === "involvedObject.uid=one") throw refusal(418);
    left = signal;
    return new Promise(() => {});
  });
  await expect(waitUntilReady(place, ["one", "two"], { ...options, timeLimit: 600 })).rejects.toThrow();
  expect(left?.aborted).toBe(true);
});

it("waits for pods of before that their set is just making, and the Deployment does not count yet", async () => {
  const stopped = (set: object) => {
    const { deployments, replicasets, pods } = notReady("web", { phase: "Pending" });
    const none = { ...deployments, spec: { ...deployments.spec, replicas: 0 } };
    return clusterOf([{ deployments: none, replicasets: { ...replicasets, ...set }, pods }], () => {
      throw refusal(503);
    });
  };
  const { metadata } = notReady("web", {}).replicasets;
  const late = new Map([["web", "It is not ready after 0.2 s."]]);
  const seen = { observedGeneration: 2, replicas: 0 };
  for (const [set, expected] of [
    [{ spec: { replicas: 2 }, status: {} }, late],
    [{ spec: { replicas: 0 }, status: { ...seen, replicas: 1 } }, late],
    [{ spec: { replicas: 0 }, status: { ...seen, observedGeneration: 1 } }, late],
    [{ spec: { replicas: 0 }, status: seen }, new Map()],
  ] as const) {
    const place = stopped({ metadata: { ...metadata, generation: 2 }, ...set });
    expect(await waitUntilReady(place, ["web"], options), JSON.stringify(set)).toEqual(expected);
  }
  // Sets of somebody else have no say.
  const other = stopped({ metadata: { ...metadata, ownerReferences: [{ uid: "other" }] }, spec: { replicas: 2 } });
  expect(await waitUntilReady(other, ["web"], options)).toEqual(new Map());
});
