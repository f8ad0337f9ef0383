import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { placedResources } from "../config/instance-types.ts";
import { UserError } from "../core/errors.ts";
import { reported } from "../core/testdata/reported.ts";
import { jobsPath } from "../jobs/kubernetes/submit.ts";
import { engineOfTest, type TestEngine, until } from "../jobs/kubernetes/testdata/cluster.ts";
import type { List, Metadata } from "../kubernetes/objects.ts";
import { ownArchitecture } from "../oci/descriptor.ts";
import { KubernetesCalls } from "./kubernetes.ts";
import { batch as oneCall } from "./testdata/batch.ts";
import { call, pushProgram } from "./testdata/program.ts";

vi.setConfig({ testTimeout: 300_000 });

/** Nothing of any call is in the cluster. */
async function expectNothing(cluster: TestEngine): Promise<void> {
  for (const kind of ["jobs", "pods", "secrets"] as const) {
    await until(async () => (await cluster.list(kind)).length === 0, `no ${kind}`);
  }
}

describe("calls in pods", () => {
  it("run where their instance type says, and say so where no node has its labels", async () => {
    const cluster = await engineOfTest();
    const image = await pushProgram(cluster);
    const { items } = await cluster.admin.api.ask<List<{ metadata: Metadata }>>("GET", "/api/v1/nodes");
    const host = items[0]?.metadata.labels?.["kubernetes.io/hostname"] ?? "";
    const size = { cpu: 0.1, memory: "128MiB", architecture: ownArchitecture() };
    const config = join(cluster.env["XDG_CONFIG_HOME"] ?? "", "slipway/config.yaml");
    const settings = JSON.parse(readFileSync(config, "utf8")) as object;
    const instanceTypes = {
      here: { ...size, nodeSelector: { "kubernetes.io/hostname": host } },
      nowhere: { ...size, nodeSelector: { "example.com/pool": "none" } },
    };
    writeFileSync(config, JSON.stringify({ ...settings, instanceTypes }));
    const typed = (instance_type: string) =>
      placedResources(
        { instance_type, cpu: 0.05 },
        cluster.env,
        () => new UserError({ code: "value-invalid", culprit: "" }, "", ""),
      );
    const { outcomes } = await call(cluster, { image, inputs: ["[3]"], resources: await typed("here") });
    expect(outcomes).toEqual([{ reply: { result: 9 } }]);

    const stop = new AbortController();
    let output = "";
    const waiting = new KubernetesCalls(cluster.env).run(
      { ...oneCall, name: "square", image, resources: await typed("nowhere") },
      {
        onOutcome: () => {},
        onOutput: (data) => {
          output += data;
        },
        signal: stop.signal,
      },
    );
    await until(async () => output.includes("No node with"), "words about nodes");
    // That of the call before may still be on its way out.
    const pod = (await cluster.pods()).find(({ status }) => status?.phase === "Pending");
    expect(pod?.spec).toMatchObject({
      nodeSelector: { "example.com/pool": "none", "kubernetes.io/arch": ownArchitecture() },
      containers: [{ resources: { limits: { cpu: "50m", memory: String(2 ** 27) } } }],
    });
    const unfit = { nodeSelector: { "kubernetes.io/arch": ownArchitecture() === "amd64" ? "arm64" : "amd64" } };
    await expect(call(cluster, { image, resources: unfit })).rejects.toThrow(reported("image-unsuitable", image));
    stop.abort();
    await expect(waiting).rejects.toThrow(/abort/);
    expect(output).toMatch(
      /^slipway: No node with .*example\.com\/pool=none.* takes it: .*correct the labels of its instance type/,
    );
    await expectNothing(cluster);
  });

  it("give results and failures by index, for few requests", async () => {
    const cluster = await engineOfTest();
    const image = await pushProgram(cluster);
    const inputs = Array.from({ length: 20 }, (_, index) => `[${index}]`);
    const start = performance.now();
    const { outcomes, requests } = await call(cluster, { image, inputs, parallelism: 10 });
    expect(outcomes).toHaveLength(20);
    for (const [index, outcome] of outcomes.entries()) {
      if (index === 13) expect(outcome).toMatchObject({ reply: { error: { name: "TideError", message: "thirteen" } } });
      else if (index === 17) expect(outcome).toEqual({ status: 7 });
      else expect(outcome).toEqual({ reply: { result: index * index } });
    }
    // While nothing begins, as on a busy machine, the cluster is asked why.
    expect(requests).toBeLessThan(15 + (performance.now() - start) / 1000);

    // Long arguments, and results that no termination message holds.
    const text = JSON.stringify(["ä".repeat(1_250_000)]);
    const long = await call(cluster, { image, name: "length", inputs: [text, text] });
    expect(long.outcomes).toEqual([{ reply: { result: 1_250_000 } }, { reply: { result: 1_250_000 } }]);
    const large = await call(cluster, { image, name: "large", inputs: ["[5000000]", "[5000]"] });
    expect(large.outcomes.map((each) => "reply" in each && JSON.stringify(each.reply).length)).toEqual([5000013, 5013]);
    const tooLarge = await call(cluster, { image, name: "large", inputs: ["[9000000]"] });
    expect(JSON.stringify(tooLarge.outcomes)).toContain("values above 8 MiB cannot be handed on");

    const one = await call(cluster, { image, name: "add", inputs: ["[1,2]"], programArguments: ["$(HOME)"] });
    expect(one.outcomes).toMatchObject([{ reply: { result: { sum: 3, argument: "$(HOME)" } } }]);
    expect(one.output.split("\n").sort()).toEqual(["", "adding", "from a child", "loading"]);
    await expectNothing(cluster);
  });

  it("of a map show what each prints, also those that end at once", async () => {
    const cluster = await engineOfTest();
    const image = await pushProgram(cluster);
    const items = Array.from({ length: 30 }, (_, index) => index);
    const inputs = items.map((index) => `[${index},1]`);
    const { outcomes, output } = await call(cluster, { image, name: "add", inputs, parallelism: 10, labels: "plain" });
    expect(outcomes).toMatchObject(items.map((index) => ({ reply: { result: { sum: index + 1 } } })));
    const words = ["adding", "from a child", "loading"];
    const expected = items.flatMap((index) => words.map((word) => `[add ${index}] ${word}`));
    expect(output.trim().split("\n").sort()).toEqual(expected.sort());
    await expectNothing(cluster);
  });

  it("end with whoever waits for them, and nothing of them stays", async () => {
    const cluster = await engineOfTest();
    const image = await pushProgram(cluster);
    const gone = new AbortController();
    const calls = call(cluster, { image, name: "waits", inputs: ["[]", "[]", "[]"] }, { signal: gone.signal });
    const isRunning = async () =>
      (await cluster.pods()).filter(({ status }) => status?.phase === "Running").length === 3;
    await until(isRunning, "three pods that run");
    gone.abort();
    await expect(calls).rejects.toThrow("aborted");
    expect((await cluster.pods()).length).toBe(0);
    await expectNothing(cluster);
  });

  it("are made again whose pod is evicted, which is no failure", async () => {
    const cluster = await engineOfTest();
    const image = await pushProgram(cluster);
    const gone = new AbortController();
    const calls = call(cluster, { image, name: "waits", inputs: ["[]"] }, { signal: gone.signal });
    calls.catch(() => {});
    const running = async (but?: string) => {
      const pods = (await cluster.pods()).filter(({ metadata }) => metadata.name !== but);
      return pods.find(({ status }) => status?.phase === "Running")?.metadata.name;
    };
    const name = await until(() => running(), "a pod that runs");
    const metadata = { name, namespace: cluster.namespace };
    await cluster.admin.api.ask("POST", `${cluster.path("pods")}/${name}/eviction`, {
      body: { apiVersion: "policy/v1", kind: "Eviction", metadata },
    });
    await until(() => running(name), "another pod that runs");
    gone.abort();
    await expect(calls).rejects.toThrow("aborted");
    await expectNothing(cluster);
  });

  it("say what happened when their Job is deleted by someone", async () => {
    const cluster = await engineOfTest();
    const image = await pushProgram(cluster);
    const calls = call(cluster, { image, name: "waits", inputs: ["[]", "[]"] });
    calls.catch(() => {});
    const job = await until(async () => (await cluster.pods()).length === 2 && (await cluster.jobs())[0], "the job");
    const body = { propagationPolicy: "Background" };
    await cluster.admin.api.ask("DELETE", jobsPath(cluster.admin, job.metadata.name), { body });
    await expect(calls).rejects.toThrow(reported("job-failed", /^waits-\w+$/));
    await expectNothing(cluster);
  });

  it("are refused before anything is made where nodes cannot pull the image, and fail where there is none", async () => {
    const cluster = await engineOfTest();
    const image = `${cluster.registry.host}/test/none@sha256:${"0".repeat(64)}`;
    const config = join(cluster.env["HOME"] ?? "", "empty.yaml");
    writeFileSync(config, "");
    const away = { ...cluster.env, SLIPWAY_CONFIG: config };
    const refused = call(cluster, { image, inputs: ["[1]", "[2]"] }, { env: away });
    await expect(refused).rejects.toThrow(reported("image-pull-failed", image));
    expect(await cluster.list("jobs")).toEqual([]);
    const absent = call(cluster, { image, inputs: ["[1]", "[2]"] });
    await expect(absent).rejects.toThrow(reported("image-pull-failed", image));
    await expectNothing(cluster);
  });

  it("say what they wait for while none runs", async () => {
    const cluster = await engineOfTest();
    const gone = new AbortController();
    let output = "";
    const image = await pushProgram(cluster);
    const engine = new KubernetesCalls(cluster.env);
    const onOutput = (data: Buffer) => {
      output += data;
    };
    const batch = { ...oneCall, name: "square", image, inputs: ["[1]"], resources: { cpu: 5000 } };
    const calls = engine.run(batch, { onOutcome: () => {}, onOutput, signal: gone.signal });
    calls.catch(() => {});
    const told = () =>
      output.match(/^slipway: Waiting for a node for pod \S+: .*Insufficient cpu.* \(\d+ s\)$/gm) ?? [];
    await until(async () => told().length > 1, "two lines");
    gone.abort();
    await expect(calls).rejects.toThrow("aborted");
  });
});
