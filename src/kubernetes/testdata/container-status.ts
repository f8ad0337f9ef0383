import type { ContainerState, ContainerStatus } from "../objects.ts";

/** The status of a pod's container as the cluster gives it. */
export function containerStatus(state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name: "main", image: "", imageID: "", ready: false, restartCount: 0, state, ...more };
}
