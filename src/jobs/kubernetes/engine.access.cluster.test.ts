import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { Failure } from "../../core/errors.ts";
import { reported } from "../../core/testdata/reported.ts";
import { describeRight, missingRights, neededRights, type Right } from "../../kubernetes/access.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import { pushShell } from "../../kubernetes/testdata/image.ts";
import { engineOfTest, kubeconfig, type TestEngine, until } from "./testdata/cluster.ts";
import { run, shell } from "./testdata/program.ts";

const user = "slipway-test-user";
const rbac = (namespace: string, kind: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/${kind}`;

/** The environment of a user who may do nothing. */
async function nobody({ admin, env, namespace }: TestEngine): Promise<Record<string, string>> {
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

/** Gives the user these rights and no more. */
async function grant({ admin, namespace }: TestEngine, env: Record<string, string>, rights: readonly Right[]) {
  const rules = rights.map(({ group, resource, subresource, verb }) => ({
    apiGroups: [group],
    resources: [subresource === undefined ? resource : `${resource}/${subresource}`],
    verbs: [verb],
  }));
  await admin.api.ask("PATCH", `${rbac(namespace, "roles")}/user`, {
    body: { rules },
    contentType: "application/merge-patch+json",
  });
  const lacking = neededRights.filter((right) => !rights.includes(right)).map(describeRight);
  const asUser = await openCluster(env);
  await until(async () => {
    const missing = await missingRights(asUser, AbortSignal.timeout(10_000));
    return missing.map(describeRight).join() === lacking.join();
  }, "the change of rights");
}

describe("a user with the rights that the documentation lists", () => {
  /** Everything that jobs do, in the namespace of a user. */
  async function everything(cluster: TestEngine, env: Record<string, string>, image: string): Promise<void> {
    const engine = cluster.engine({}, env);
    const { text, status, id } = await run(engine, shell(image, "echo $A", { env: { A: "hi" } }));
    expect(text).toBe("hi\n");
    expect(status.state).toBe("succeeded");
    await engine.status(id);
    await engine.list();
    const long = await engine.submit(shell(image, "sleep 1000"));
    await engine.cancel(long);
    await engine.remove(id);
    // More than there is room for: why, is asked of the cluster's events.
    const large = await engine.submit(shell(image, "true", { resources: { memory: 2 ** 41, cpu: 1 } }));
    await until(async () => (await engine.status(large)).reason?.includes("quota"), "a reason");
    await engine.cancel(large);
  }

  it("can do everything, and with one less is told which it is", { timeout: 300_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const quota = { metadata: { name: "q" }, spec: { hard: { "requests.memory": "1Ti" } } };
    const limits = [{ type: "Container", defaultRequest: { memory: "1Mi" } }];
    await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/limitranges`, {
      body: { metadata: { name: "l" }, spec: { limits } },
    });
    await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/resourcequotas`, { body: quota });
    const env = await nobody(cluster);
    await grant(cluster, env, neededRights);
    await everything(cluster, env, image);
    for (const right of neededRights) {
      const others = neededRights.filter((each) => each !== right);
      await grant(cluster, env, others);
      const name = describeRight(right);
      const needed = everything(cluster, env, image).then(() => new Error("it was not needed"));
      const error = await needed.catch((error: Error) => error);
      // A server that did not answer a moment ago may have just started: then the refusal is quoted.
      expect(error, name).toEqual(reported(error instanceof Failure ? "cluster-unreachable" : "cluster-refused"));
      expect(error.message, name).toContain(`may not ${name} in the namespace ${cluster.namespace}`);
    }
  });
});
