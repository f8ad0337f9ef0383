import { expect, it } from "vitest";
import { placementOf, resourcesOf } from "./placement.ts";

it("places pods by labels, taints and priority", () => {
  const tolerations = [{ key: "spot", operator: "Exists" }] as const;
  expect(placementOf({ nodeSelector: { pool: "a" }, tolerations, priorityClass: "low" })).toEqual({
    nodeSelector: { pool: "a" },
    tolerations,
    priorityClassName: "low",
  });
  // A cluster does not keep what is empty.
  expect(placementOf({ cpu: 1, nodeSelector: {}, tolerations: [] })).toEqual({});
});

it("requests what it limits", () => {
  const amounts = { cpu: "1500m", memory: "1024", "nvidia.com/gpu": "2" };
  expect(resourcesOf({ cpu: 1.5, memory: 1024, gpu: 2 })).toEqual({
    resources: { requests: amounts, limits: amounts },
  });
  const other = { "amd.com/gpu": "1" };
  expect(resourcesOf({ gpu: 1, gpuResource: "amd.com/gpu" })).toEqual({
    resources: { requests: other, limits: other },
  });
  expect(resourcesOf({ cpu: 0.0001 })).toMatchObject({ resources: { limits: { cpu: "1m" } } });
  expect(resourcesOf({ gpu: 0, gpuResource: "amd.com/gpu" })).toEqual({});
});
