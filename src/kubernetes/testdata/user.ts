import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { describeRight, missingRights, type Right } from "../access.ts";
import { openCluster } from "../cluster.ts";
import { kubeconfig, type TestCluster, until } from "./cluster.ts";

const user = "slipway-test-user";
const rbac = (namespace: string, kind: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/${kind}`;

/** The environment of a user who may do nothing. */
export async function nobody({ admin, env, namespace }: TestCluster): Promise<Record<string, string>> {
  const config = parse(readFileSync(kubeconfig, "utf8"));
  for (const each of config.users) each.user.as = user;
  const path = join(env["HOME"] ?? "", "kubeconfig");
  writeFileSync(path, JSON.stringify(config));
  await admin.api.ask("POST", rbac(namespace, "rolebindings"), {
    body: {
      metadata: { name: "user" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "user" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
    },
  });
  await admin.api.ask("POST", rbac(namespace, "roles"), { body: { metadata: { name: "user" }, rules: [] } });
  return { ...env, KUBECONFIG: path };
}

/** Gives the user all of these rights but one. */
export async function grant(
  { admin, namespace }: TestCluster,
  env: Record<string, string>,
  all: readonly Right[],
  missing?: Right,
): Promise<void> {
  const rights = all.filter((right) => right !== missing);
  const rules = rights.map(({ group, resource, subresource, verb }) => ({
    apiGroups: [group],
    resources: [subresource === undefined ? resource : `${resource}/${subresource}`],
    verbs: [verb],
  }));
  await admin.api.ask("PATCH", `${rbac(namespace, "roles")}/user`, {
    body: { rules },
    contentType: "application/merge-patch+json",
  });
  const lacking = missing === undefined ? "" : describeRight(missing);
  const asUser = await openCluster(env);
  await until(async () => {
    const found = await missingRights(asUser, AbortSignal.timeout(10_000), all);
    return found.map(describeRight).join() === lacking;
  }, "the change of rights");
}
