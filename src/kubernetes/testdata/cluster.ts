import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { serverOfTest, stateOfTest } from "../../registry-server/testdata/fixture.ts";
import { openCluster } from "../cluster.ts";
import type { Job, List, Metadata, Pod } from "../objects.ts";

/** The kubeconfig of the cluster that tests run in. */
export const kubeconfig = process.env["KUBECONFIG"] ?? "";

type Kind = "jobs" | "cronjobs" | "pods" | "secrets" | "events" | "configmaps";

/** A namespace of a test's own, and an embedded registry that its nodes reach. All of it is gone when the test ends. */
export async function clusterOfTest(options: { readonly env?: Record<string, string>; readonly user?: string } = {}) {
  const { env: home, paths } = await stateOfTest();
  const registry = await serverOfTest({ paths });
  const namespace = `slipway-test-${randomBytes(4).toString("hex")}`;
  const env: Record<string, string> = {
    ...home,
    XDG_CONFIG_HOME: join(home["HOME"] ?? "", "config"),
    PATH: process.env["PATH"] ?? "",
    KUBECONFIG: kubeconfig,
    SLIPWAY_KUBERNETES_NAMESPACE: namespace,
    ...options.env,
  };
  const admin = await openCluster({ ...env, KUBECONFIG: kubeconfig });
  mkdirSync(join(env["XDG_CONFIG_HOME"] ?? "", "slipway"), { recursive: true });
  const settings = { kubernetes: { contexts: { [admin.context]: { nodeLocal: true } } } };
  writeFileSync(join(env["XDG_CONFIG_HOME"] ?? "", "slipway/config.yaml"), JSON.stringify(settings));
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  await admin.api.ask("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace, labels } } });
  onTestFinished(async () => {
    await admin.api.ask("DELETE", `/api/v1/namespaces/${namespace}`);
  });
  const path = (kind: Kind) =>
    kind.endsWith("jobs") ? `/apis/batch/v1/namespaces/${namespace}/${kind}` : `/api/v1/namespaces/${namespace}/${kind}`;
  const list = async <Item = { metadata: Metadata }>(kind: Kind): Promise<readonly Item[]> =>
    (await admin.api.ask<List<Item>>("GET", path(kind))).items;
  return {
    admin,
    /** State folder of a machine that knows nothing of the jobs. */
    elsewhere: join(env["HOME"] ?? "", "elsewhere"),
    env,
    namespace,
    registry,
    path,
    list,
    jobs: () => list<Job>("jobs"),
    pods: () => list<Pod>("pods"),
  };
}

/** Waits until a condition holds: the cluster acts when it does. */
export async function until<T>(look: () => Promise<T | undefined | false>, what: string): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(100)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`not within a minute: ${what}`);
}

export type TestCluster = Awaited<ReturnType<typeof clusterOfTest>>;
