import type { PlacedResources } from "../config/resources.ts";
import type { Container, PodSpec } from "./objects.ts";

export function placementOf({ nodeSelector = {}, tolerations = [], priorityClass }: PlacedResources): Partial<PodSpec> {
  return {
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
  };
}

/** The field `resources` of a container. Requests equal limits, so that a node in need ends these pods last. */
export function resourcesOf({
  cpu,
  memory,
  gpu = 0,
  gpuResource = "nvidia.com/gpu",
}: PlacedResources): Pick<Container, "resources"> {
  const amounts = {
    ...(cpu === undefined ? {} : { cpu: processors(cpu) }),
    ...(memory === undefined ? {} : { memory: String(memory) }),
    ...(gpu === 0 ? {} : { [gpuResource]: String(gpu) }),
  };
  return Object.keys(amounts).length === 0 ? {} : { resources: { requests: amounts, limits: amounts } };
}

/** Processors as Kubernetes writes them back, rounded up to thousandths: `2`, `1500m`. */
function processors(cpu: number): string {
  const thousandths = Math.ceil(cpu * 1000);
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${thousandths}m`;
}
