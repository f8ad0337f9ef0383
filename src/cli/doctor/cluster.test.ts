import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { examineCluster } from "./cluster.ts";

interface Review {
  readonly spec: { readonly resourceAttributes: { readonly resource: string; readonly verb: string } };
}

/** A user's environment with a kubeconfig for a cluster that allows what it is told to. */
async function machine(allows: (resource: string, verb: string) => boolean) {
  const server = createServer(async (request, response) => {
    const { resource, verb } = ((await json(request)) as Review).spec.resourceAttributes;
    response.end(JSON.stringify({ status: { allowed: allows(resource, verb) } }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const home = mkdtempSync(join(tmpdir(), "doctor-"));
  onTestFinished(() => {
    server.close();
    rmSync(home, { recursive: true });
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = {
    clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "here", context: { cluster: "c", user: "u", namespace: "mine" } }],
    "current-context": "here",
  };
  writeFileSync(join(home, "kubeconfig"), JSON.stringify(kubeconfig));
  return { env: { HOME: home, KUBECONFIG: join(home, "kubeconfig") }, url, close: () => server.close() };
}

describe("the doctor", () => {
  it("names the cluster, and that nothing is missing there", async () => {
    const { env, url } = await machine(() => true);
    const detail = `context here (${url}), namespace mine`;
    expect(await examineCluster(env)).toMatchObject({ part: "cluster", state: "ok", detail });
    const local = "kubernetes: {contexts: {here: {nodeLocal: true, namespace: yours}}}";
    writeFileSync(join(env.HOME, "config.yaml"), local);
    expect(await examineCluster({ ...env, SLIPWAY_CONFIG: join(env.HOME, "config.yaml") })).toMatchObject({
      state: "ok",
      detail: `context here (${url}), namespace yours, nodes on this machine`,
    });
  });

  it("names every right that is missing", async () => {
    const { env } = await machine((resource, verb) => resource !== "pods" && verb !== "patch");
    expect(await examineCluster(env)).toMatchObject({
      state: "broken",
      detail: expect.stringMatching(
        /may not patch jobs\.batch, list pods, watch pods, get pods\/log, get pods\/portforward, create pods\/portforward, delete pods$/,
      ),
      remedy: expect.stringContaining("docs/kubernetes.md"),
    });
  });

  it("tells an absent cluster from one that does not answer and from a kubeconfig that is none", async () => {
    expect(await examineCluster({ HOME: "/nonexistent" })).toMatchObject({ state: "missing", detail: "no kubeconfig" });
    const { env, url, close } = await machine(() => true);
    close();
    const detail = `Cluster here (${url}) does not answer: connect ECONNREFUSED ${url.slice("http://".length)}.`;
    expect(await examineCluster(env)).toMatchObject({ state: "broken", detail });
    writeFileSync(env.KUBECONFIG, "clusters: {");
    expect(await examineCluster(env)).toMatchObject({
      state: "broken",
      detail: expect.stringContaining(`Kubeconfig ${env.KUBECONFIG} cannot be used: `),
    });
  });
});
