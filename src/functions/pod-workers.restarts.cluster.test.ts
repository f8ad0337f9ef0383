import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, expect, it, vi } from "vitest";
import { clusterOfTest } from "../kubernetes/testdata/cluster.ts";
import { reachableFromPods } from "../kubernetes/testdata/reachable-from-pods.ts";
import { PodWorkers } from "./pod-workers.ts";
import { callAll } from "./testdata/batch.ts";
import { chaos, seeds, startCounter } from "./testdata/chaos.ts";
import { cuttable } from "./testdata/cuttable.ts";
import { pushProgram } from "./testdata/program.ts";

const scripts = "tools/testing/cluster";

/** A cluster of this test's own, whose processes it may kill. Undefined where its parts are not built. */
const folder = await vi.hoisted(async () => {
  const { spawnSync } = await import("node:child_process");
  const { mkdtempSync } = await import("node:fs");
  // Bazel's sandbox hides /tmp.
  const path = mkdtempSync("/var/tmp/slipway-cluster-");
  const { status, stdout, stderr } = spawnSync("tools/testing/cluster/start", [path], { encoding: "utf8" });
  if (status !== 0 && /There is no .*kube: run/.test(stderr)) return undefined;
  if (status !== 0) throw new Error(stderr);
  process.env["KUBECONFIG"] = stdout.trim();
  return path;
});
afterAll(() => void (folder && execFileSync(`${scripts}/stop`, [folder])));

function restart(name: string, seconds: number) {
  return promisify(execFile)(`${scripts}/restart`, [folder ?? "", name, String(seconds)]);
}

it.skipIf(folder === undefined)(
  "give all results though pods are deleted, the API server is restarted, and their node is",
  { timeout: 800_000 },
  async () => {
    const cluster = await clusterOfTest();
    const image = await pushProgram(cluster);
    const items = Array.from({ length: 40 }, (_, index) => index);
    let ended = 0;
    const onOutcome = () => {
      ended += 1;
    };
    const inputs = items.map((n) => [n]);
    const engine = new PodWorkers(cluster.env);
    const calls = callAll(engine, inputs, { image, name: "late", parallelism: 6 }, { onOutcome });
    const until = (count: number) => vi.waitUntil(() => ended >= count, { timeout: 300_000 });
    await until(5);
    const running = (await cluster.pods()).filter(({ status }) => status?.phase === "Running");
    const names = running.slice(0, 3).map(({ metadata }) => metadata.name);
    await Promise.all(names.map((name) => cluster.admin.api.ask("DELETE", `${cluster.path("pods")}/${name}`)));
    await until(12);
    await restart("apiserver", 3);
    await until(20);
    await restart("node", 3);
    // Whether a call is lost to the node, or its pod goes on, is a matter of time.
    const { outcomes } = await calls;
    expect(outcomes).toEqual(items.map((n) => ({ value: 2 * n })));
  },
);

it.skipIf(folder === undefined).each(seeds(2))(
  "lose no call and run none unseen when pods, connections and the API server are killed: seed %i",
  { timeout: 600_000 },
  async (seed) => {
    const cluster = await clusterOfTest();
    const image = await pushProgram(cluster);
    const { env, cut, hold } = await cuttable(cluster);
    const engine = new PodWorkers(env, [image]);
    const counter = await startCounter();
    const address = await callAll(engine, [[]], { image, name: "address" });
    const [{ value }] = address.outcomes as [{ readonly value: string }];
    const url = await reachableFromPods(value, counter.port);
    const kill = async ({ host }: { readonly host: string }) => {
      const body = { gracePeriodSeconds: 0 };
      await cluster.admin.api.ask("DELETE", `${cluster.path("pods")}/${host}`, { body }).catch(() => {});
    };
    // In the order of the seed: connections, their delay, the API server.
    let cuts = seed;
    const disturb = async () => {
      cuts += 1;
      if (cuts % 3 === 0) await restart("apiserver", 1);
      else if (cuts % 3 === 1) hold(300);
      else cut();
    };
    const start = { image, network: "host", parallelism: 3 } as const;
    await chaos(seed, engine, url, counter, { kill, cut: disturb }, start);
  },
);
