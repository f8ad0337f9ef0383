import { expect, it } from "vitest";
import type { Api } from "../../kubernetes/api.ts";
import { troubleOf } from "./trouble.ts";

const metadata = { name: "web-x", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };

/** The reason why the pod of a service does not start, by its events. */
async function words(...events: readonly { readonly reason: string; readonly message: string }[]) {
  const items = events.map((event) => ({ metadata, ...event }));
  const api = { ask: async () => ({ metadata: {}, items }) } as unknown as Api;
  const annotations = { "deployment.kubernetes.io/revision": "1" };
  const labels = { "pod-template-hash": "h" };
  const trouble = await troubleOf(
    { api, namespace: "n" },
    {
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
      pods: [{ metadata: { ...metadata, labels }, spec: { nodeName: "n1", containers: [] } }],
    },
  );
  return trouble?.words;
}

it("has the words of the node that cannot start a pod, but for a pull secret that nobody needs", async () => {
  const mount = { reason: "FailedMount", message: 'configmap "a" not found' };
  expect(await words(mount)).toMatch(/^Pod web-x does not start \(FailedMount\): configmap "a" not found\./);
  const secret = { reason: "FailedToRetrieveImagePullSecret", message: "Unable to retrieve some image pull secrets" };
  expect(await words(secret)).toBeUndefined();
  expect(await words(mount, secret)).toContain("FailedMount");
});
