import type { Right } from "../../kubernetes/access.ts";

const changing = ["get", "list", "create", "patch", "delete"] as const;

function rights(group: string, resource: string, verbs: readonly string[]): Right[] {
  return verbs.map((verb) => ({ group, resource, verb }));
}

/** All rights that services need. A test compares them with the Role in docs/services-kubernetes.md. */
export const serviceRights: readonly Right[] = [
  ...["configmaps", "secrets", "services"].flatMap((resource) => rights("", resource, changing)),
  ...rights("", "persistentvolumeclaims", ["get"]),
  ...rights("apps", "deployments", [...changing, "watch"]),
  ...rights("networking.k8s.io", "ingresses", changing),
  ...rights("gateway.networking.k8s.io", "httproutes", changing),
  ...rights("gateway.networking.k8s.io", "gateways", ["list"]),
  ...rights("autoscaling", "horizontalpodautoscalers", changing),
  ...rights("apps", "replicasets", ["list", "watch"]),
  ...rights("", "pods", ["list", "watch"]),
  { group: "", resource: "pods", subresource: "log", verb: "get" },
  // Newer clusters require `create` in place of `get`.
  ...["get", "create"].map((verb) => ({ group: "", resource: "pods", subresource: "portforward", verb })),
  ...rights("", "events", ["list"]),
  ...rights("discovery.k8s.io", "endpointslices", ["list"]),
];
