import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import type { List, Metadata } from "../../kubernetes/objects.ts";
import { pushShell } from "../../kubernetes/testdata/image.ts";
import { engineOfTest, type TestEngine } from "./testdata/cluster.ts";
import { run, shell } from "./testdata/program.ts";

/** A claim of a folder of the node, which the test's cluster has no other means to give. */
async function makeClaim({ admin, namespace }: TestEngine, name: string): Promise<void> {
  const { items } = await admin.api.ask<List<{ metadata: Metadata }>>("GET", "/api/v1/nodes");
  // The node must see it, and Bazel's sandbox hides /tmp.
  const path = mkdtempSync(join(process.env["TEST_TMPDIR"] ?? "/var/tmp", "slipway-claim-"));
  const volume = `${namespace}-${name}`;
  const size = { storage: "1Mi" };
  const common = { accessModes: ["ReadWriteMany"], storageClassName: "" };
  const matchExpressions = [
    { key: "kubernetes.io/hostname", operator: "In", values: [items[0]?.metadata.labels?.["kubernetes.io/hostname"]] },
  ];
  await admin.api.ask("POST", "/api/v1/persistentvolumes", {
    body: {
      metadata: { name: volume },
      spec: {
        ...common,
        capacity: size,
        local: { path },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
      },
    },
  });
  onTestFinished(async () => {
    await admin.api.ask("DELETE", `/api/v1/persistentvolumes/${volume}`);
    rmSync(path, { recursive: true, force: true });
  });
  await admin.api.ask("POST", `/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    body: { metadata: { name }, spec: { ...common, resources: { requests: size }, volumeName: volume } },
  });
}

it("keep what one job writes for the next, which may only read it", { timeout: 180_000 }, async () => {
  const cluster = await engineOfTest();
  const image = await pushShell(cluster.registry);
  const engine = cluster.engine();
  const job = (script: string, writable: boolean) =>
    shell(image, script, { volumes: { "/data": { claim: "kept", writable } } });
  const early = engine.submit(job("true", true));
  await expect(early).rejects.toThrow(userErrorWith("volume-unusable", "/data"));
  expect(await cluster.jobs()).toEqual([]);
  await makeClaim(cluster, "kept");
  expect((await run(engine, job("echo hello >/data/file", true))).status).toMatchObject({ state: "succeeded" });
  const { text, status } = await run(engine, job("cat /data/file; echo no >/data/file || echo refused", false));
  expect(status).toMatchObject({ state: "succeeded" });
  expect(text).toMatch(/^hello$/m);
  expect(text).toMatch(/^refused$/m);
  expect(text).toContain("Read-only file system");
});
