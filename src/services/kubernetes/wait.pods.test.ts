import { Readable } from "node:stream";
import { expect, it } from "vitest";
import type { Api } from "../../kubernetes/api.ts";
import type { Pod } from "../../kubernetes/objects.ts";
import { containerStatus } from "../../kubernetes/testdata/container-status.ts";
import type { Observed } from "./observation.ts";
import { waitOf } from "./wait.ts";

const start = "2026-01-01T00:00:00Z";
const metadata = { name: "web-x", uid: "u", resourceVersion: "1", creationTimestamp: start };

/** A service of one replica, with pods of its newest state. */
function service(pods: readonly Pod["status"][], more: Partial<Observed> = {}): Observed {
  const annotations = { "deployment.kubernetes.io/revision": "1" };
  const labels = { "pod-template-hash": "h" };
  return {
    deployment: {
      metadata: { ...metadata, annotations },
      spec: { replicas: 1, selector: {}, template: { spec: { containers: [] } } },
    },
    replicaSets: [
      {
        metadata: {
          ...metadata,
          annotations,
          labels,
          ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "u" }],
        },
        spec: { selector: {}, template: { spec: { containers: [] } } },
      },
    ],
    pods: pods.map((status) => ({
      metadata: { ...metadata, labels },
      spec: { nodeName: "n1", containers: [] },
      ...(status && { status: { startTime: start, ...status } }),
    })),
    ...more,
  };
}

const api = {
  ask: async () => ({ metadata: {}, items: [] }),
  stream: async () => Readable.from(["models: 1.0 GiB of 4.0 GiB (9 s)\n"]),
} as unknown as Api;

async function words(observed: Observed): Promise<string | undefined> {
  return (await waitOf({ api, namespace: "n" }, observed, 0))?.words;
}

it("says what the pods of a service do that are not ready", async () => {
  const main = (...status: Parameters<typeof containerStatus>) => ({ containerStatuses: [containerStatus(...status)] });
  const before = "0 of 1 pods are ready. Waiting for pod web-x: ";
  expect(await words(service([main({ running: {} })]))).toBe(`${before}its program runs and is not ready`);
  const crashed = main({ waiting: {} }, { lastState: { terminated: { exitCode: 3 } } });
  expect(await words(service([crashed]))).toBe(`${before}its program ended with status 3, and is started again`);
  const sync = { initContainerStatuses: [containerStatus({ running: {} }, { name: "sync-models" })] };
  expect(await words(service([sync]))).toBe(`${before}container sync-models runs: models: 1.0 GiB of 4.0 GiB`);
  expect(await words(service([main({})]))).toBe(`${before}node n1 prepares it`);
  const lost = { ...main({ running: {} }, { ready: true }), conditions: [{ type: "Ready", status: "False" as const }] };
  expect(await words(service([lost]))).toMatch(/Waiting for node n1 of pod web-x: it does not answer$/);
});

it("says what the cluster does where no pod is at fault", async () => {
  const ready = { conditions: [{ type: "Ready", status: "True" as const }] };
  expect(await words(service([]))).toBe("Waiting for the cluster to make pods");
  expect(await words(service([ready]))).toBe("Waiting for the cluster to count its pods");
  const withOld = service([ready]);
  const old: Pod = { metadata, spec: { containers: [] } };
  expect(await words({ ...withOld, pods: [...withOld.pods, old] })).toBe("Waiting for a pod of before to end");
  expect(await words(service([], { deployment: undefined }))).toBeUndefined();
});
