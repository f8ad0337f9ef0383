import { expect, it } from "vitest";
import type { PlacedResources } from "../../config/resources.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import type { List, Metadata } from "../../kubernetes/objects.ts";
import { pushShell } from "../../kubernetes/testdata/image.ts";
import { ownArchitecture } from "../../oci/descriptor.ts";
import { engineOfTest, type TestEngine, until } from "./testdata/cluster.ts";
import { run, shell } from "./testdata/program.ts";

/** Labels that the first node has. */
async function nodeLabels({ admin }: TestEngine): Promise<Record<string, string>> {
  const { items } = await admin.api.ask<List<{ metadata: Metadata }>>("GET", "/api/v1/nodes");
  const host = items[0]?.metadata.labels?.["kubernetes.io/hostname"] ?? "";
  return { "kubernetes.io/hostname": host, "kubernetes.io/arch": ownArchitecture() };
}

const small = { cpu: 0.05, memory: 32 << 20 };

it("runs jobs and items where their instance type says, with its priority", { timeout: 120_000 }, async () => {
  const cluster = await engineOfTest();
  const image = await pushShell(cluster.registry);
  const classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
  const priorityClass = cluster.namespace;
  await cluster.admin.api.ask("POST", classes, { body: { metadata: { name: priorityClass }, value: -10 } });
  try {
    const nodeSelector = await nodeLabels(cluster);
    const tolerations = [{ key: "example.com/spot", operator: "Exists" }] as const;
    const resources: PlacedResources = { ...small, gpu: 0, nodeSelector, tolerations, priorityClass, spot: true };
    const { text, status } = await run(cluster.engine(), shell(image, "echo ran", { resources }));
    expect([text, status.state]).toEqual(["ran\n", "succeeded"]);
    const [pod] = await cluster.pods();
    expect(pod?.spec).toMatchObject({ nodeSelector, priorityClassName: priorityClass, priority: -10 });
    const items = shell(image, "echo ran", { resources, matrix: { A: ["1", "2"] } });
    expect((await run(cluster.engine(), items)).status).toMatchObject({ state: "succeeded" });
  } finally {
    await cluster.admin.api.ask("DELETE", `${classes}/${priorityClass}`);
  }
});

it("says which labels no node has, which architecture an image, and which priority class is not there", async () => {
  const cluster = await engineOfTest();
  const image = await pushShell(cluster.registry);
  const resources = { ...small, nodeSelector: { "example.com/pool": "none" } };
  const id = await cluster.engine().submit(shell(image, "true", { resources }));
  const outcome = cluster.engine().collect(id);
  const words =
    /^No node with example\.com\/pool=none takes it: .*correct the labels of its instance type \(nodeSelector\)/;
  await until(async () => cluster.notices.some((text) => words.test(text)), "a notice");
  expect(await cluster.engine().status(id)).toMatchObject({ state: "queued", reason: expect.stringMatching(words) });
  await cluster.engine().cancel(id);
  expect((await outcome).status.state).toBe("cancelled");

  const other = ownArchitecture() === "amd64" ? "arm64" : "amd64";
  const unfit = shell(image, "true", { resources: { nodeSelector: { "kubernetes.io/arch": other } } });
  await expect(cluster.engine().submit(unfit)).rejects.toThrow(userErrorWith("image-unsuitable", image));
  expect(await cluster.jobs()).toEqual([]);

  const absent = shell(image, "true", { resources: { priorityClass: `${cluster.namespace}-absent` } });
  expect((await run(cluster.engine(), absent)).status).toMatchObject({
    state: "failed",
    reason: expect.stringMatching(/The cluster refused its pod: .*no PriorityClass with name \S+-absent was found/),
  });
});

it("makes a job on spot nodes again whose pod is evicted, and no other", { timeout: 120_000 }, async () => {
  const cluster = await engineOfTest();
  const image = await pushShell(cluster.registry);
  const evicted = async (resources: PlacedResources) => {
    const engine = cluster.engine();
    const script = "trap 'exit 1' TERM; while :; do busybox sleep 0.1; done";
    const id = await engine.submit(shell(image, script, { resources }));
    const running = async (but?: string) => {
      const pods = (await cluster.pods()).filter(({ metadata }) => metadata.name.startsWith(id.slice(4)));
      return pods.find(({ metadata, status }) => status?.phase === "Running" && metadata.name !== but)?.metadata.name;
    };
    const name = await until(() => running(), "a running pod");
    const metadata = { name, namespace: cluster.namespace };
    await cluster.admin.api.ask("POST", `${cluster.path("pods")}/${name}/eviction`, {
      body: { apiVersion: "policy/v1", kind: "Eviction", metadata },
    });
    const again = () => until(() => running(name), "another pod");
    return { engine, id, again };
  };
  const spot = await evicted({ ...small, spot: true });
  await spot.again();
  expect(await spot.engine.status(spot.id)).toMatchObject({ state: "running" });
  await spot.engine.cancel(spot.id);
  const other = await evicted(small);
  const words = expect.stringMatching(/^It was evicted from node/);
  expect((await other.engine.collect(other.id)).status).toMatchObject({ state: "failed", reason: words });
});
