import { refusalOf } from "../../engine/kubernetes/api-error.ts";
import type { Cluster } from "../../engine/kubernetes/cluster.ts";
import type { ServiceDocument } from "../read.ts";

/** @throws UserError when the volume claim that a service's repositories are kept in is not there: nobody but its owner can say what it should be */
export async function requireDataset(
  { service: { repositories }, error }: ServiceDocument,
  { api, namespace, context }: Cluster,
): Promise<void> {
  if (repositories === undefined) return;
  const { dataset } = repositories;
  const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${dataset}`;
  await api.ask("GET", path).catch((cause: unknown) => {
    if (refusalOf(cause)?.status !== 404) throw cause;
    throw error([
      {
        path: ["repositories", "dataset"],
        problem: `names the volume claim ${dataset}, and there is none in namespace ${namespace} of cluster ${context}`,
        remedy: `Make a PersistentVolumeClaim ${dataset} there, ReadWriteMany if pods run on several nodes, or name one that there is.`,
      },
    ]);
  });
}
