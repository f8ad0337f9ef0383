import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import { apiServer, list } from "../../kubernetes/testdata/api-server.ts";
import { restartService, rollBackService, serviceHistory } from "./history.ts";
import { labelsOf } from "./manifest.ts";

const revisionAnnotation = "deployment.kubernetes.io/revision";
const cause = "kubernetes.io/change-cause";

function template(image: string, port: number, variables: string) {
  const container = {
    name: "main",
    image,
    ports: [{ containerPort: port, protocol: "TCP" }],
    envFrom: [{ configMapRef: { name: variables } }],
    env: [{ name: "TOKEN", valueFrom: { secretKeyRef: { name: `token-of-${variables}`, key: "TOKEN" } } }],
  };
  return {
    metadata: { labels: { ...labelsOf("web"), "pod-template-hash": image } },
    spec: { containers: [container], imagePullSecrets: [{ name: `pull-${image}` }] },
  };
}

/** The API server of a cluster whose service `web` is at its third revision. The variables of the second are gone. */
async function clusterWith({
  replicas = 1,
  labels = labelsOf("web") as Record<string, string>,
  gone = /configmaps\/env-2/,
} = {}) {
  const set = (revision: number, image: string, port: number) => ({
    metadata: {
      name: `web-${revision}`,
      ownerReferences: [{ uid: "d" }],
      creationTimestamp: `2026-01-0${revision}T00:00:00Z`,
      annotations: { [revisionAnnotation]: `${revision}`, [cause]: `ada: ${image}` },
    },
    spec: { template: template(image, port, `env-${revision}`) },
  });
  const deployment = {
    metadata: { name: "web", uid: "d", resourceVersion: "7", labels, annotations: { [revisionAnnotation]: "3" } },
    spec: { replicas, template: template("c", 82, "env-3") },
  };
  const patches: { url: string; type: string | undefined; body: Record<string, never> }[] = [];
  let conflicts = 1;
  const env = await apiServer(async (request, response) => {
    const { url, method, headers } = request;
    const missing = () =>
      response.writeHead(404).end(JSON.stringify({ kind: "Status", code: 404, reason: "NotFound", message: "none" }));
    if (method === "PATCH") {
      const body = JSON.parse(await text(request)) as Record<string, never>;
      if (body["metadata"]?.["resourceVersion"] && conflicts-- > 0) {
        response.writeHead(409).end(JSON.stringify({ kind: "Status", code: 409, message: "changed" }));
        return;
      }
      patches.push({ url: url.split("?")[0] ?? "", type: headers["content-type"], body });
      response.end(JSON.stringify(body));
    } else if (url.includes("/replicasets")) response.end(list([set(3, "c", 82), set(1, "a", 80), set(2, "b", 81)]));
    else if (url.includes("/deployments/web")) response.end(JSON.stringify(deployment));
    else if (gone.test(url) || !/configmaps|secrets/.test(url)) missing();
    else response.end("{}");
  });
  return { cluster: await openCluster(env), patches };
}

it("tells the revisions of a service, from the oldest to the newest", async () => {
  const { cluster } = await clusterWith();
  expect(await serviceHistory(cluster, "web")).toEqual([
    { revision: 1, created: "2026-01-01T00:00:00Z", cause: "ada: a", image: "a", isCurrent: false },
    { revision: 2, created: "2026-01-02T00:00:00Z", cause: "ada: b", image: "b", isCurrent: false },
    { revision: 3, created: "2026-01-03T00:00:00Z", cause: "ada: c", image: "c", isCurrent: true },
  ]);
});

it("goes back to the newest revision that can still run, with its ports, though a controller writes too", async () => {
  const { cluster, patches } = await clusterWith();
  const { revision, changes } = await rollBackService(cluster, "web", undefined);
  expect(revision).toBe(1);
  expect(changes.map(({ action, kind }) => `${action} ${kind}`)).toEqual(["create Service", "change Deployment"]);
  const [service, deployment, note] = patches;
  expect(service?.body).toMatchObject({ kind: "Service", spec: { ports: [{ port: 80 }] } });
  expect(deployment?.body).toMatchObject({
    metadata: { resourceVersion: "7" },
    spec: {
      replicas: 1,
      template: {
        metadata: { labels: labelsOf("web") },
        spec: { containers: [{ image: "a" }], imagePullSecrets: [{ name: "pull-c" }] },
      },
    },
  });
  expect(JSON.stringify(deployment?.body)).not.toContain("pod-template-hash");
  expect(note?.body).toEqual({ metadata: { annotations: { [cause]: `${cluster.owner}: rollback to revision 1` } } });
});

it("refuses a revision that cannot run, or that is not there", async () => {
  const { cluster, patches } = await clusterWith();
  for (const asked of [2, 3, 9]) {
    await expect(rollBackService(cluster, "web", asked)).rejects.toThrow(userErrorWith("revision-not-found", "web"));
  }
  await expect(rollBackService(cluster, "web", 2)).rejects.toThrow(/ConfigMap env-2\./);
  await expect(serviceHistory(cluster, "wob")).rejects.toThrow(userErrorWith("service-not-found", "wob"));
  const { cluster: withoutSecret } = await clusterWith({ gone: /token-of-env-1/ });
  await expect(rollBackService(withoutSecret, "web", 1)).rejects.toThrow(/Secret token-of-env-1\./);
  const { cluster: other } = await clusterWith({ labels: {} });
  await expect(serviceHistory(other, "web")).rejects.toThrow(userErrorWith("service-not-found", "web"));
  expect(patches).toEqual([]);
});

it("restarts all pods as kubectl does, unless there are none", async () => {
  const { cluster, patches } = await clusterWith();
  await restartService(cluster, "web");
  expect(patches).toMatchObject([
    {
      type: "application/merge-patch+json",
      body: {
        spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": expect.any(String) } } } },
      },
    },
  ]);
  const { cluster: stopped } = await clusterWith({ replicas: 0 });
  await expect(restartService(stopped, "web")).rejects.toThrow(userErrorWith("service-state", "web"));
});
