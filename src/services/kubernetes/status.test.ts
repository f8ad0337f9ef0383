import { expect, it } from "vitest";
import type { Api } from "../../kubernetes/api.ts";
import { serviceLabel } from "./manifest.ts";
import { serviceStatuses } from "./status.ts";

/** A service with one replica that is ready, and an autoscaler. */
function placeWith(autoscaler: { readonly conditions?: readonly object[] }) {
  const metadata = { name: "web", uid: "w", labels: { [serviceLabel]: "web" } };
  const replicas = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  const objects: Readonly<Record<string, object>> = {
    deployments: { metadata, spec: { replicas: 1, template: { spec: { containers: [] } } }, status: replicas },
    horizontalpodautoscalers: { metadata, spec: { minReplicas: 1, maxReplicas: 3 }, status: autoscaler },
  };
  const ask = async (_: string, path: string) => {
    const found = objects[path.split("/").at(-1) ?? ""];
    return { metadata: {}, items: found ? [found] : [] };
  };
  return { api: { ask } as unknown as Api, namespace: "n", context: "c" };
}

const failing = {
  type: "ScalingActive",
  status: "False",
  reason: "FailedGetResourceMetric",
  message: "unable to get metrics for resource cpu",
};

it("is not ready while its autoscaler gets no metrics", async () => {
  const scaled = { autoscaling: { minReplicas: 1, maxReplicas: 3 } };
  expect(await serviceStatuses(placeWith({ conditions: [failing] }), ["web"])).toMatchObject([
    {
      ...scaled,
      state: "changing",
      reason: expect.stringMatching(/ unable to get metrics for resource cpu\. Install /),
    },
  ]);
  for (const conditions of [[], [{ ...failing, status: "True" }], [{ ...failing, reason: "ScalingDisabled" }]]) {
    const [status] = await serviceStatuses(placeWith({ conditions }), ["web"]);
    expect(status).toMatchObject({ ...scaled, state: "ready" });
  }
  expect(await serviceStatuses(placeWith({}), ["web"])).toMatchObject([{ state: "ready" }]);
});
