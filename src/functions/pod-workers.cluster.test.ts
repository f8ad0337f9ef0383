import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { placedResources } from "../config/instance-types.ts";
import { UserError } from "../core/errors.ts";
import { failureWith, userErrorWith } from "../core/testdata/reported.ts";
import { jobsPath } from "../jobs/kubernetes/submit.ts";
import type { List, Metadata, Pod } from "../kubernetes/objects.ts";
import { clusterOfTest, type TestCluster, until } from "../kubernetes/testdata/cluster.ts";
import { ownArchitecture } from "../oci/descriptor.ts";
import { PodWorkers } from "./pod-workers.ts";
import { callAll } from "./testdata/batch.ts";
import { cuttable } from "./testdata/cuttable.ts";
import { Line } from "./testdata/line.ts";
import { pushProgram } from "./testdata/program.ts";
import type { WorkerSpec } from "./worker.ts";

vi.setConfig({ testTimeout: 300_000 });

/** Nothing of any call is in the cluster. */
async function expectNothing(cluster: TestCluster): Promise<void> {
  for (const kind of ["jobs", "pods", "secrets"] as const) {
    await until(async () => (await cluster.list(kind)).length === 0, `no ${kind}`);
  }
}

const square = (numbers: readonly number[]) => numbers.map((n) => ({ value: n * n }));
const upFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);
const isRunning = ({ metadata, status }: Pod) =>
  status?.phase === "Running" && metadata.deletionTimestamp === undefined;

/** A group of workers of the test's program. */
async function groupOf(cluster: TestCluster, image: string, more: Partial<WorkerSpec> = {}) {
  const notices: string[] = [];
  const spec = { name: "f", image, programArguments: [], env: {}, network: "none", resources: {}, ...more } as const;
  const engine = new PodWorkers(cluster.env, [image]);
  const group = await engine.open(spec, (text) => notices.push(text));
  return { engine, group, notices };
}

it("workers that are started together are one Job, answer calls, and leave nothing", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { engine, group, notices } = await groupOf(cluster, image, { env: { A: "a password" } });
  const lines = [1, 2, 3].map(() => new Line(group));
  await Promise.all(lines.map((line) => line.ready));
  const [job, ...others] = await cluster.jobs();
  expect(others).toEqual([]);
  expect(job?.spec).toMatchObject({ completions: 3, parallelism: 3, backoffLimitPerIndex: 0 });
  expect(await Promise.all(lines.map((line, n) => line.call("square", n)))).toEqual(["0", "1", "4"]);
  const objects = JSON.stringify([job, await cluster.pods()]);
  for (const secret of ["a password", lines[0]?.token ?? ""]) expect(objects).not.toContain(secret);
  // Alone, a worker can be replaced.
  const more = new Line(group);
  expect(await more.call("square", 5)).toBe("25");
  expect((await cluster.jobs()).length).toBe(2);
  const { requests } = engine;
  for (let n = 0; n < 100; n += 1) await more.call("square", 100);
  expect(engine.requests).toBe(requests);
  for (const line of [...lines, more]) line.end();
  await group.close();
  expect(await Promise.all([...lines, more].map((line) => line.ended))).toMatchObject(Array(4).fill({ status: 0 }));
  expect(notices.filter((text) => !/^(Waiting|Starting)/.test(text))).toEqual([]);
  await expectNothing(cluster);
});

it("calls give results and failures by index, for few requests", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const inputs = upFrom(0, 1000).map((n) => [n]);
  const engine = new PodWorkers(cluster.env, [image]);
  const start = performance.now();
  const { outcomes } = await callAll(engine, inputs, { name: "square", image, parallelism: 3 });
  for (const [index, outcome] of outcomes.entries()) {
    if (index === 13) expect(outcome).toMatchObject({ error: { name: "TideError", message: "thirteen" } });
    else if (index === 17) expect(outcome).toMatchObject({ error: expect.anything() });
    else expect(outcome).toEqual({ value: index * index });
  }
  // While nothing begins, as on a busy machine, the cluster is asked why, and workers are knocked at.
  expect(engine.requests).toBeLessThan(60 + (4 * (performance.now() - start)) / 1000);
  await expectNothing(cluster);
});

it("a connection that is cut loses no call and repeats none", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { env, cut } = await cuttable(cluster);
  const inputs = upFrom(100, 5000).map((n) => [n]);
  let ended = 0;
  const onOutcome = () => {
    ended += 1;
    if (ended % 1000 === 500) cut();
  };
  const engine = new PodWorkers(env, [image]);
  const { outcomes } = await callAll(engine, inputs, { name: "square", image, parallelism: 3 }, { onOutcome });
  expect(outcomes).toEqual(square(inputs.flat()));
  await expectNothing(cluster);
});

it("a connection that is cut within a result loses nothing", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { env, cut } = await cuttable(cluster);
  const size = 8 * 1024 * 1024;
  const inputs = upFrom(0, 60).map(() => [size]);
  const timer = setInterval(cut, 1000);
  onTestFinished(() => clearInterval(timer));
  const engine = new PodWorkers(env, [image]);
  const { outcomes } = await callAll(engine, inputs, { name: "large", image, parallelism: 2 });
  clearInterval(timer);
  expect(outcomes.map((each) => "value" in each && String(each.value).length)).toEqual(inputs.flat());
  await expectNothing(cluster);
});

it("a worker keeps its pod and its calls when the connection is cut", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { env, cut } = await cuttable(cluster);
  const { group } = await groupOf({ ...cluster, env }, image);
  const line = new Line(group);
  await line.ready;
  const calls = [line.call("late", 1), line.call("late", 2)];
  cut();
  expect(await Promise.all(calls)).toEqual(["2", "4"]);
  expect(line.connections).toBeGreaterThan(1);
  expect((await cluster.pods()).length).toBe(1);
  await line.stop();
  await group.close();
  await expectNothing(cluster);
});

it("says how a worker ended", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { group } = await groupOf(cluster, image, { resources: { memory: 256 * 2 ** 20 } });
  const [exits, deleted, evicted, hungry] = [0, 1, 2, 3].map(() => new Line(group)) as [Line, Line, Line, Line];
  await Promise.all([exits, deleted, evicted, hungry].map((line) => line.ready));
  void exits.call("exits", 7);
  expect(await exits.ended).toEqual({ status: 7 });
  const path = (line: Line) => `${cluster.path("pods")}/${line.pod}`;
  await cluster.admin.api.ask("DELETE", path(deleted));
  expect(await deleted.ended).toMatchObject({ isLost: true });
  const metadata = { name: evicted.pod, namespace: cluster.namespace };
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata };
  await cluster.admin.api.ask("POST", `${path(evicted)}/eviction`, { body });
  expect(await evicted.ended).toMatchObject({ isLost: true });
  void hungry.call("large", 2 ** 29 - 100).catch(() => {});
  void hungry.call("large", 2 ** 29 - 100).catch(() => {});
  expect(await hungry.ended).toMatchObject({ status: expect.any(Number) });
  await group.close();
  await expectNothing(cluster);
});

it("a worker that is stopped ends at once, and the others of its Job go on", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { group } = await groupOf(cluster, image);
  const [one, other] = [new Line(group), new Line(group)];
  await Promise.all([one.ready, other.ready]);
  void one.call("waits", 1);
  await one.stop();
  expect(await one.ended).not.toHaveProperty("isLost");
  const left = async () => (await cluster.pods()).filter(isRunning).map(({ metadata }) => metadata.name);
  expect(await left()).toEqual([other.pod]);
  expect(await other.call("square", 3)).toBe("9");
  void other.call("waits", 1);
  await other.stop();
  await group.close();
  expect(await cluster.pods()).toEqual([]);
  await expectNothing(cluster);
});

it("a quota of three pods runs a map of a thousand with fifty workers", async () => {
  const cluster = await clusterOfTest();
  const quota = { metadata: { name: "q" }, spec: { hard: { pods: "3" } } };
  await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/resourcequotas`, { body: quota });
  const image = await pushProgram(cluster);
  const inputs = upFrom(100, 1000).map((n) => [n]);
  const engine = new PodWorkers(cluster.env, [image]);
  const { outcomes, output } = await callAll(engine, inputs, { name: "square", image, parallelism: 50 });
  expect(outcomes).toEqual(square(inputs.flat()));
  expect(output).not.toContain("trying again");
  await expectNothing(cluster);
});

it("says how many workers run when a quota has no room for others", async () => {
  const cluster = await clusterOfTest();
  const quota = { metadata: { name: "q" }, spec: { hard: { pods: "3" } } };
  await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/resourcequotas`, { body: quota });
  const image = await pushProgram(cluster);
  const { group, notices } = await groupOf(cluster, image);
  const lines = upFrom(0, 50).map(() => new Line(group));
  await vi.waitUntil(() => lines.filter(({ isReady }) => isReady).length === 3, { timeout: 60_000 });
  const told = /^3 of 50 workers of f run; the others wait\. The namespace's quota has no room for it: .*pods=3/;
  await vi.waitUntil(() => notices.some((text) => told.test(text)), { timeout: 60_000 });
  for (const line of lines) line.end();
  await group.close();
  await expectNothing(cluster);
});

it("run where their instance type says, and say so where no node has its labels", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { items } = await cluster.admin.api.ask<List<{ metadata: Metadata }>>("GET", "/api/v1/nodes");
  const host = items[0]?.metadata.labels?.["kubernetes.io/hostname"] ?? "";
  const size = { cpu: 0.1, memory: "256MiB", architecture: ownArchitecture() };
  const config = join(cluster.env["XDG_CONFIG_HOME"] ?? "", "slipway/config.yaml");
  const settings = JSON.parse(readFileSync(config, "utf8")) as object;
  const instanceTypes = {
    here: { ...size, nodeSelector: { "kubernetes.io/hostname": host } },
    nowhere: { ...size, nodeSelector: { "example.com/pool": "none" } },
  };
  writeFileSync(config, JSON.stringify({ ...settings, instanceTypes }));
  const refuse = () => new UserError({ code: "value-invalid", culprit: "" }, "", "");
  const typed = (instance_type: string) => placedResources({ instance_type, cpu: 0.05 }, cluster.env, refuse);
  const here = await groupOf(cluster, image, { resources: await typed("here") });
  const line = new Line(here.group);
  expect(await line.call("square", 3)).toBe("9");
  line.end();
  await here.group.close();
  const nowhere = await groupOf(cluster, image, { resources: await typed("nowhere") });
  const waits = new Line(nowhere.group);
  await vi.waitUntil(() => nowhere.notices.some((text) => text.includes("No node with")), { timeout: 60_000 });
  const told = /^No node with .*example\.com\/pool=none.* takes it: .*correct the labels of its instance type/;
  expect(nowhere.notices.join("\n")).toMatch(told);
  await waits.stop();
  await nowhere.group.close();
  const unfit = { nodeSelector: { "kubernetes.io/arch": ownArchitecture() === "amd64" ? "arm64" : "amd64" } };
  await expect(groupOf(cluster, image, { resources: unfit })).rejects.toThrow(userErrorWith("image-unsuitable", image));
  await expectNothing(cluster);
});

it("end by themselves when who started them is killed, and leave nothing", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const child = spawn(process.execPath, ["src/functions/testdata/idle-workers.ts", image], {
    env: cluster.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  expect((await cluster.pods()).filter(isRunning).length).toBe(2);
  await vi.waitUntil(async () => !(await cluster.pods()).some(isRunning), { timeout: 90_000, interval: 500 });
  await expectNothing(cluster);
});

it("say what happened when their Job is deleted by someone", async () => {
  const cluster = await clusterOfTest();
  const image = await pushProgram(cluster);
  const { group } = await groupOf(cluster, image);
  const lines = [new Line(group), new Line(group)];
  await Promise.all(lines.map((line) => line.ready));
  const [job] = await cluster.jobs();
  const body = { propagationPolicy: "Background" };
  await cluster.admin.api.ask("DELETE", jobsPath(cluster.admin, job?.metadata.name), { body });
  const ends = await Promise.all(lines.map((line) => line.ended));
  for (const { cause } of ends) expect(cause).toEqual(failureWith("job-failed", /^f-\w+$/));
  await group.close();
  await expectNothing(cluster);
});

it("are refused before anything is made where nodes cannot pull the image, and fail where there is none", async () => {
  const cluster = await clusterOfTest();
  const image = `${cluster.registry.host}/test/none@sha256:${"0".repeat(64)}`;
  const config = join(cluster.env["HOME"] ?? "", "empty.yaml");
  writeFileSync(config, "");
  const away = { ...cluster, env: { ...cluster.env, SLIPWAY_CONFIG: config } };
  await expect(groupOf(away, image)).rejects.toThrow(userErrorWith("image-pull-failed", image));
  const calls = callAll(new PodWorkers(cluster.env), [[1], [2]], { image });
  await expect(calls).rejects.toThrow(failureWith("image-pull-failed", image));
  await expectNothing(cluster);
});
