import type { Cluster } from "./cluster.ts";

/** A right in a namespace. docs/kubernetes.md has the same rights as a Role. */
export interface Right {
  /** Empty: the core. */
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly verb: string;
}

export const neededRights: readonly Right[] = [
  ...["create", "get", "list", "watch", "patch", "delete"].map((verb) => ({ group: "batch", resource: "jobs", verb })),
  ...["list", "watch"].map((verb) => ({ group: "", resource: "pods", verb })),
  { group: "", resource: "pods", subresource: "log", verb: "get" },
  { group: "", resource: "secrets", verb: "create" },
  { group: "", resource: "events", verb: "list" },
];

/** Additional rights for calls of functions: they reach their workers through the API server, and end single ones. */
export const functionRights: readonly Right[] = [
  // Kubernetes requires `create` in place of `get` from 1.35 on.
  ...["get", "create"].map((verb) => ({ group: "", resource: "pods", subresource: "portforward", verb })),
  { group: "", resource: "pods", verb: "delete" },
];

/** `verb resource[/subresource][.group]`, as errors name a right. */
export function describeRight({ group, resource, subresource, verb }: Right): string {
  return `${verb} ${resource}${subresource ? `/${subresource}` : ""}${group ? `.${group}` : ""}`;
}

/** The rights that the user lacks. Every user may ask that. */
export async function missingRights(
  { api, namespace }: Cluster,
  signal: AbortSignal,
  rights: readonly Right[] = neededRights,
): Promise<Right[]> {
  const answers = await Promise.all(
    rights.map(async (right) => {
      const body = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { namespace, ...right } },
      };
      const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
      const { status } = await api.ask<{ status: { allowed: boolean } }>("POST", path, { body, signal });
      return { right, isAllowed: status.allowed };
    }),
  );
  return answers.filter(({ isAllowed }) => !isAllowed).map(({ right }) => right);
}
