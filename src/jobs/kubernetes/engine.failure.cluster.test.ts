import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { kubeconfigOf } from "../../kubernetes/testdata/api-server.ts";
import { pushShell } from "../../kubernetes/testdata/image.ts";
import type { Program } from "../program.ts";
import { engineOfTest, type TestEngine, until } from "./testdata/cluster.ts";
import { run, shell } from "./testdata/program.ts";

/** Runs a job that fails, and looks whether anything is left of one that never began. */
async function failureOf(cluster: TestEngine, program: Program): Promise<string> {
  const { status } = await run(cluster.engine(), program);
  expect(status.state).toBe("failed");
  return status.reason ?? "";
}

describe("what becomes of a job that fails is said, with what to do", () => {
  it("about the program", async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const failure = (script: string, more: Partial<Program> = {}) => failureOf(cluster, shell(image, script, more));
    expect(await failure("sleep 1000", { timeLimit: 1 })).toMatch(/^It took longer than its time limit of 1 s\. Give/);
    const greedy = "dd if=/dev/zero of=/tmp/x bs=1M count=100; busybox tail /dev/zero";
    const killed = await failure(greedy, { resources: { memory: 24 << 20 } });
    expect(killed).toMatch(/^It was killed because it used more than 25165824 bytes of memory\. Give it more/);
    const absent = await failureOf(cluster, shell(image, "x", { cwd: "/dev/null/x" }));
    expect(absent).toMatch(/cannot be (started|made)/);
  });

  it("about the image", { timeout: 120_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const root = await pushShell(cluster.registry, "0");
    const named = await pushShell(cluster.registry, "worker");
    const failure = async (what: string) => {
      const reason = await failureOf(cluster, shell(what, "true"));
      expect(await cluster.jobs()).toEqual([]);
      return reason;
    };
    expect(await failure(root)).toMatch(/runs as root, which Slipway's pods may not\. Set a numeric user/);
    expect(await failure(named)).toMatch(/names its user worker without a number.* Set a numeric user/);
    const absent = image.replace(/.{8}$/, "00000000");
    expect(await failure(absent)).toMatch(/^Registry localhost:\d+ has no image localhost.*: .*\. Push it, or resolve/);
    // To a user with another state folder it is any registry, and one with other secrets.
    const stranger = cluster.engine({}, { XDG_STATE_HOME: cluster.elsewhere });
    const repository = image.replace("test/shell", "test/other");
    const { status } = await run(stranger, shell(repository, "true"));
    expect(status.reason).toMatch(/wants a credential for \S+, and the nodes have none: .*--copy-credentials/);
  });

  it("about the cluster", { timeout: 120_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const engine = cluster.engine();
    // It waits, and says for what.
    const large = await engine.submit(shell(image, "true", { resources: { cpu: 5000 } }));
    const waiting = cluster.engine();
    const outcome = waiting.collect(large);
    const noticed = (words: RegExp) => until(async () => cluster.notices.find((text) => words.test(text)), "a notice");
    await noticed(/^No node takes it: .*Insufficient cpu/);
    const reason = expect.stringContaining("Insufficient cpu");
    expect(await engine.status(large)).toMatchObject({ state: "queued", reason });
    await engine.cancel(large);
    expect((await outcome).status.state).toBe("cancelled");

    const quota = { metadata: { name: "q" }, spec: { hard: { "limits.memory": "1Gi", "limits.cpu": "2" } } };
    await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/resourcequotas`, { body: quota });
    await until(async () => {
      const path = `/api/v1/namespaces/${cluster.namespace}/resourcequotas/q`;
      const { status } = await cluster.admin.api.ask<{ status?: { used?: object } }>("GET", path);
      return status?.used !== undefined;
    }, "a quota that is counted");
    expect(await failureOf(cluster, shell(image, "true"))).toMatch(/quota requires resource requests: .*Set them/);
    const much = await engine.submit(shell(image, "true", { resources: { cpu: 1, memory: 4 * 2 ** 30 } }));
    const over = cluster.engine().collect(much);
    await noticed(/quota has no room for it: exceeded quota: q, /);
    expect((await engine.status(much)).reason).toMatch(/exceeded quota/);
    await engine.cancel(much);
    await over;
  });

  it("about those who act on it", { timeout: 120_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const begun = async () => {
      const engine = cluster.engine();
      const id = await engine.submit(
        shell(image, "echo begun; trap 'exit 1' TERM; while :; do busybox sleep 0.1; done"),
      );
      const log = engine.logs(id, { follow: true });
      await log.next();
      const [pod] = (await cluster.pods()).filter(({ metadata }) => metadata.name.startsWith(id.slice(4)));
      const rest = (async () => {
        for await (const _ of log);
        return (await engine.collect(id)).status;
      })();
      return { id, rest, pod: pod?.metadata.name ?? "" };
    };
    const evicted = await begun();
    const metadata = { name: evicted.pod, namespace: cluster.namespace };
    await cluster.admin.api.ask("POST", `${cluster.path("pods")}/${evicted.pod}/eviction`, {
      body: { apiVersion: "policy/v1", kind: "Eviction", metadata },
    });
    const evictedFrom = { state: "failed", reason: expect.stringMatching(/^It was evicted from node/) };
    expect(await evicted.rest).toMatchObject(evictedFrom);
    const deleted = await begun();
    await cluster.admin.api.ask("DELETE", `${cluster.path("pods")}/${deleted.pod}`);
    const gone = { state: "failed", attempts: 1, reason: expect.stringMatching(/^Its pod was deleted while it ran/) };
    expect(await deleted.rest).toMatchObject(gone);
    // The same where only the cluster can tell.
    expect(await cluster.engine().status(deleted.id)).toMatchObject(gone);
    const behind = await begun();
    await cluster.admin.api.ask("DELETE", `${cluster.path("jobs")}/${behind.id.slice(4)}`, {
      body: { propagationPolicy: "Background" },
    });
    const jobless = { state: "failed", reason: expect.stringMatching(/^Its Job was deleted/) };
    expect(await behind.rest).toMatchObject(jobless);
    expect(await cluster.engine().status(behind.id)).toMatchObject(jobless);
  });

  it("about the way to the cluster", async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const submit = (env: Record<string, string>) => cluster.engine({}, env).submit(shell(image, "true"));
    await expect(submit({ SLIPWAY_KUBERNETES_NAMESPACE: "slipway-test-absent" })).rejects.toThrow(
      userErrorWith("cluster-refused", "slipway-test-absent"),
    );
    await expect(submit({ SLIPWAY_KUBERNETES_CONTEXT: `${cluster.admin.context}x` })).rejects.toThrow(
      `\nWrite ${cluster.admin.context}.`,
    );
    await expect(submit({ KUBECONFIG: "/nonexistent/kubeconfig" })).rejects.toThrow(
      userErrorWith("cluster-unreachable", "KUBECONFIG"),
    );
    const far = { XDG_CONFIG_HOME: "/nonexistent/config" };
    await expect(submit(far)).rejects.toThrow(userErrorWith("image-pull-failed", /^localhost:/));
    expect(await cluster.jobs()).toEqual([]);
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const kubeconfig = join(cluster.env["HOME"] ?? "", "unreachable");
    const { context, server } = cluster.admin;
    writeFileSync(kubeconfig, kubeconfigOf(`https://127.0.0.1:${port}`, context, { token: "t" }));
    await expect(submit({ KUBECONFIG: kubeconfig })).rejects.toThrow(failureWith("cluster-unreachable", context));
    writeFileSync(kubeconfig, kubeconfigOf(server, context, { token: "t" }));
    await expect(submit({ KUBECONFIG: kubeconfig })).rejects.toThrow(userErrorWith("cluster-login", "tester"));
  });
});
