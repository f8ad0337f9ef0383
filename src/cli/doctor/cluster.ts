import type { Environment } from "../../core/environment.ts";
import { hasCluster } from "../../kubernetes/configured.ts";
import { broken, type Finding } from "./finding.ts";

const part = { part: "cluster", neededFor: "running jobs and functions on Kubernetes", required: false } as const;

const patience = 10_000;

/** Also lists the permissions that this user lacks there. */
export async function examineCluster(env: Environment): Promise<Finding> {
  if (!hasCluster(env) && !env["KUBECONFIG"]) {
    const remedy = "Get a kubeconfig from whoever runs a cluster: ~/.kube/config, or name it in KUBECONFIG";
    return { ...part, state: "missing", detail: "no kubeconfig", remedy };
  }
  const signal = AbortSignal.timeout(patience);
  try {
    const { openCluster } = await import("../../kubernetes/cluster.ts");
    const { describeRight, functionRights, missingRights, neededRights } = await import("../../kubernetes/access.ts");
    const cluster = await openCluster(env);
    const { context, server, namespace, nodeLocal } = cluster;
    const place = `context ${context} (${server}), namespace ${namespace}${nodeLocal ? ", nodes on this machine" : ""}`;
    const missing = await missingRights(cluster, signal, [...neededRights, ...functionRights]);
    if (missing.length === 0) return { ...part, state: "ok", detail: place };
    const detail = `${place}: this user may not ${missing.map(describeRight).join(", ")}`;
    const remedy = "Ask whoever runs the cluster for the roles in docs/kubernetes.md";
    return { ...part, state: "broken", detail, remedy };
  } catch (error) {
    if (signal.aborted) {
      const remedy = "Check that the cluster runs, and the way there";
      return { ...part, state: "broken", detail: `no answer within ${patience / 1000} s`, remedy };
    }
    return broken(part, error);
  }
}
