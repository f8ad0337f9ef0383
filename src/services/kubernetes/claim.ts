import type { Cluster } from "../../kubernetes/cluster.ts";
import { ifFound } from "../../kubernetes/if-found.ts";
import type { ServiceDocument } from "../read.ts";

/** Only its owner knows the size and class of a volume claim, so Slipway creates none. */
export async function requireDataset(
  { service: { repositories }, error }: ServiceDocument,
  cluster: Cluster,
): Promise<void> {
  if (repositories === undefined) return;
  const { dataset } = repositories;
  if (await hasClaim(dataset, cluster)) return;
  throw error([
    {
      path: ["repositories", "dataset"],
      problem: `names the volume claim ${dataset}, which does not exist in namespace ${cluster.namespace} of cluster ${cluster.context}`,
      remedy: `Create a PersistentVolumeClaim ${dataset} there, ReadWriteMany if pods run on several nodes, or name an existing one.`,
    },
  ]);
}

export async function hasClaim(name: string, { api, namespace }: Cluster): Promise<boolean> {
  const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`;
  return (await ifFound(api.ask<object>("GET", path))) !== undefined;
}
