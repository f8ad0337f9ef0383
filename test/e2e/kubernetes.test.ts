import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Cluster, openCluster } from "../../src/kubernetes/cluster.ts";
import type { List, Metadata } from "../../src/kubernetes/objects.ts";
import { reachableFromPods } from "../../src/kubernetes/testdata/reachable-from-pods.ts";
import { Registry } from "./registry.ts";
import { Workspace } from "./workspace.ts";

const workspace = new Workspace("kubernetes");
const registry = new Registry(workspace);
const namespace = `slipway-test-${randomBytes(4).toString("hex")}`;
const env = {
  SLIPWAY_ENGINE: "kubernetes",
  KUBECONFIG: process.env["KUBECONFIG"],
  SLIPWAY_KUBERNETES_NAMESPACE: namespace,
};
let cluster: Cluster;

beforeAll(async () => {
  cluster = await openCluster({ ...workspace.env, ...env });
  await cluster.api.ask("POST", "/api/v1/namespaces", { body: { metadata: { name: namespace } } });
});
afterAll(async () => {
  await cluster.api.ask("DELETE", `/api/v1/namespaces/${namespace}`);
  await registry.stop();
});

/** Writes the settings of the cluster into the user's configuration. */
function configure(settings: object): void {
  const folder = join(workspace.env["XDG_CONFIG_HOME"] ?? "", "slipway");
  mkdirSync(folder, { recursive: true });
  const all = { kubernetes: { contexts: { [cluster.context]: settings } } };
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(all));
}

async function expectNothing(): Promise<void> {
  for (const path of [
    "apis/batch/v1/namespaces/NAME/jobs",
    "api/v1/namespaces/NAME/pods",
    "api/v1/namespaces/NAME/secrets",
  ]) {
    const left = async () =>
      (await cluster.api.ask<List<{ metadata: Metadata }>>("GET", `/${path.replace("NAME", namespace)}`)).items;
    // The cluster collects what belonged to a Job some time after it is gone.
    while ((await left()).length > 0) await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Runs a map of which one item fails, and again without the failure: only that item runs. */
async function keepsResults(language: string, engine: Record<string, string | undefined>): Promise<void> {
  const run = (...words: string[]) =>
    workspace.bazel(["run", `//test/e2e/functions:${language}`, "--", "keep", ...words], { env: engine });
  const ran = (text: string) =>
    [...text.matchAll(/^(?:\[kept \d\] )?ran (-?\d+)$/gm)].map(([, item]) => Number(item)).sort((a, b) => a - b);
  const first = await run("fail");
  expect(JSON.parse(first.stdout), first.stderr).toEqual([0, 1, 4, null, 16, 25, 100, 121]);
  expect(ran(first.stderr)).toEqual([-11, -10, 0, 1, 2, 3, 4, 5]);
  const second = await run();
  expect(JSON.parse(second.stdout), second.stderr).toEqual([0, 1, 4, 9, 16, 25, 100, 121]);
  expect(ran(second.stderr)).toEqual([3]);
  const third = await run();
  expect({ ran: ran(third.stderr), results: JSON.parse(third.stdout) }).toEqual({
    ran: [],
    results: [0, 1, 4, 9, 16, 25, 100, 121],
  });
}

describe("a pipeline with a cluster", () => {
  it("is refused before anything is pushed where the nodes do not reach the embedded registry", async () => {
    const { status, stderr } = await workspace.bazel(["run", "//examples/quickstart:report"], { env });
    expect(stderr).toMatch(/localhost\b.*\n.*SLIPWAY_REGISTRY.* \[image-pull-failed\]$/m);
    expect(stderr).not.toContain("pushed");
    expect(status).toBe(2);
  });

  it("computes in pods what it computes in processes", async () => {
    configure({ nodeLocal: true });
    const result = (stdout: string) => stdout.slice(stdout.indexOf("\n\n"));
    const stdout = await workspace.stdout(["run", "//examples/quickstart:report"], { env });
    expect(stdout).toMatch(
      /^summarized in: summarize-[0-9a-f]{8}-0, Debian GNU\/Linux 12 .*, user slipway \(1000\), Node 24/m,
    );
    expect(stdout).toMatch(/^fitted in: fit-[0-9a-f]{8}-0, Debian GNU\/Linux 12 /m);
    expect(result(stdout)).toBe(result(await workspace.stdout(["run", "//examples/quickstart:report"])));
    await expectNothing();
  });

  it.each(["typescript", "python"])("maps many items from %s, and leaves nothing", async (language) => {
    const said = JSON.parse(await workspace.stdout(["run", `//test/e2e/functions:${language}`, "--", "map"], { env }));
    expect(said).toEqual({
      engine: "kubernetes",
      results: [0, 1, 4, 9, 16, 25],
      failed: [[3, "three"]],
      itself: ["itself"],
    });
    await expectNothing();
  });

  it("hands on files of python between pods", async () => {
    const child = workspace.start(["run", "//test/e2e/functions:python", "--", "wait"], { env });
    const pods = () =>
      cluster.api.ask<List<{ status?: { podIP?: string } }>>("GET", `/api/v1/namespaces/${namespace}/pods`);
    const address = await vi.waitUntil(
      async () => (await pods()).items.map(({ status }) => status?.podIP).find((ip) => ip !== undefined),
      { timeout: 120_000, interval: 100 },
    );
    const ended = once(child, "exit");
    child.kill("SIGINT");
    await ended;
    const podRegistry = await reachableFromPods(address, Number(readFileSync(registry.paths.port, "utf8")));
    configure({ nodeLocal: true, podRegistry });
    const said = await workspace.stdout(["run", "//test/e2e/functions:python", "--", "files"], { env });
    configure({ nodeLocal: true });
    expect(JSON.parse(said)).toEqual(["by a pod in written.txt", "by a pod"]);
    await expectNothing();
  });

  it.each(["typescript", "python"])("keeps results of %s, and runs what is missing", async (language) => {
    await keepsResults(language, env);
    await expectNothing();
  });

  it.each([
    ["typescript", "SIGINT"],
    ["typescript", "SIGKILL"],
    ["python", "SIGINT"],
    ["python", "SIGKILL"],
  ] as const)("leaves nothing of a map in %s when it is ended by %s", async (language, signal) => {
    const child = workspace.start(["run", `//test/e2e/functions:${language}`, "--", "wait"], { env });
    child.stdin?.end();
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const running = { fieldSelector: "status.phase=Running" };
    while ((await cluster.api.ask<List<unknown>>("GET", path, { query: running })).items.length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill(signal);
    if (child.stderr) await Promise.race([text(child.stderr), once(child, "exit")]);
    await expectNothing();
  });
});

describe("a pipeline with containers", () => {
  it.each(["typescript", "python"])("maps many items from %s", async (language) => {
    const container = { SLIPWAY_ENGINE: "container" };
    const said = JSON.parse(
      await workspace.stdout(["run", `//test/e2e/functions:${language}`, "--", "map"], { env: container }),
    );
    expect(said).toMatchObject({ engine: "container", results: [0, 1, 4, 9, 16, 25], itself: ["itself"] });
    // Those of pods are results of containers too.
    await keepsResults(language, { ...container, KEPT_VERSION: "containers" });
  });
});
