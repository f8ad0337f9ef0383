import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type Cluster, openCluster } from "../../src/kubernetes/cluster.ts";
import { deleteServices } from "../../src/services/kubernetes/apply-file.ts";
import { rollBackService, serviceHistory } from "../../src/services/kubernetes/history.ts";
import { showServiceLogs } from "../../src/services/kubernetes/logs.ts";
import { openService } from "../../src/services/kubernetes/open.ts";
import { rollOutFile } from "../../src/services/kubernetes/roll-out.ts";
import { serviceStatuses } from "../../src/services/kubernetes/status.ts";
import { shellImage } from "./testdata/image.ts";
import { TestNamespace } from "./testdata/namespace.ts";
import { inEmbeddedRegistry } from "./testdata/registries.ts";
import { documentedRules, nameOfRight, rightsOf, takeRight } from "./testdata/role.ts";

/** What a cluster without an API refuses in any case. */
const absentApi = "gateway.networking.k8s.io";

/** From Kubernetes 1.35 on, web sockets need it. */
const ofNewerClusters = "create pods/portforward";

/** Opens a service for one request. @throws Error with the notice if it has no answer */
async function askOpened(cluster: Cluster): Promise<void> {
  const over = new AbortController();
  const url = Promise.withResolvers<string>();
  const notices: string[] = [];
  const notice = (text: string) => notices.push(text);
  const open = openService(cluster, "web", { signal: over.signal, onUrl: url.resolve, notice }).catch(url.reject);
  try {
    await fetch(await url.promise, { signal: AbortSignal.timeout(20_000) });
  } catch (error) {
    throw notices.length > 0 ? new Error(`${notices.join("\n")}\nnot opened`) : error;
  } finally {
    over.abort();
    await open;
  }
}

/** Everything that services do, in the namespace of a user. */
async function everything({ home, env }: TestNamespace, image: string): Promise<void> {
  const path = join(home, "web.yaml");
  const rollOut = async (script: string, more: object, timeLimit: number) => {
    writeFileSync(path, JSON.stringify({ image, command: ["sh", "-c", script], port: 8080, ...more }));
    const options = { timeLimit, isRolledBack: false, notice: () => {}, onChanges: () => {} };
    return rollOutFile({ path, name: "web.yaml" }, env, options);
  };
  const resources = { replicas: 1, instanceType: "small", autoscaling: { maxReplicas: 2 } };
  const healthChecks = { startup: { path: "/bin/sh", periodSeconds: 1 } };
  const expose = { host: "web.example.com" };
  const more = { env: [{ name: "A", value: "1" }], resources, healthChecks, expose };
  await rollOut("echo up; httpd -f -p 8080 -h / & trap 'exit 0' TERM; wait", more, 120);
  const cluster = await openCluster(env);
  // Without metrics, its autoscaler is not ready for long.
  expect(await serviceStatuses(cluster, ["web"])).toMatchObject([{ name: "web" }]);
  await askOpened(cluster);
  let text = "";
  await showServiceLogs(cluster, "web", { follow: false, notice: () => {} }, async (lines) => {
    text += lines.toString();
  });
  expect(text).toBe("up\n");
  // What was its is deleted, and it is told why it does not run.
  const failure = await rollOut("echo down; exit 3", {}, 4).catch((error: Error) => error);
  expect(failure?.message).toMatch(/may not|Its last words: down/);
  if (/may not/.test(failure?.message ?? "")) throw failure;
  const [first] = await serviceHistory(cluster, "web");
  await rollBackService(cluster, "web", first?.revision);
  await deleteServices(["web"], env);
  const repositories = { dataset: "none", mountPath: "/opt", repositories: [{ url: "https://a.io/b", name: "b" }] };
  const absent = await rollOut("", { repositories }, 1).catch((error: Error) => error);
  expect(absent?.message).toMatch(/may not|names the volume claim none, which does not exist/);
  if (/may not/.test(absent?.message ?? "")) throw absent;
}

it("as documented are enough for services, and each that is missing is named", { timeout: 1_200_000 }, async () => {
  const rules = documentedRules("docs/services-kubernetes.md");
  const rights = rightsOf(rules);
  const needed = rights.filter((right) => right.apiGroup !== absentApi && nameOfRight(right) !== ofNewerClusters);
  const namespace = await TestNamespace.make(rules);
  const config = join(namespace.home, "config/slipway/config.yaml");
  const instanceTypes = { small: { cpu: 0.01, memory: "32MiB" } };
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), instanceTypes }));
  const image = await inEmbeddedRegistry(shellImage(), namespace.env);
  await everything(namespace, image);
  for (const missing of needed) {
    const kinds = "configmaps,secrets,services,deployments,horizontalpodautoscalers,ingresses";
    await namespace.kubectl("delete", kinds, "--selector=slipway/service", "--wait");
    await namespace.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", "--wait");
    await takeRight(namespace, rights, missing);
    const error: Error = await everything(namespace, image).then(
      () => new Error("it was not needed"),
      (error) => error,
    );
    const [problem = "", remedy = ""] = error.message.split("\n");
    const right = nameOfRight(missing);
    expect(problem).toMatch(new RegExp(`User \\S+ may not ${right.replaceAll(".", "\\.")} in the namespace \\S+ of`));
    expect(remedy).not.toBe("");
  }
  console.log(`${needed.length} rights, each missed once`);
});
