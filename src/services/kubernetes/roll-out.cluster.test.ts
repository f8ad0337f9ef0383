import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { openCluster } from "../../kubernetes/cluster.ts";
import type { Pod } from "../../kubernetes/objects.ts";
import { allOf, type LiveObject, type Place } from "./apply.ts";
import { type Kind, pathOf } from "./manifest.ts";
import { serviceStatuses } from "./status.ts";
import { answering, serviceOfTest } from "./testdata/service.ts";

const missing = "0".repeat(64);

describe("waiting for a service", { timeout: 240_000 }, () => {
  it("ends when it is ready, and leaves nothing for the next time", async () => {
    const { place, write, rollOut, apply } = await serviceOfTest();
    write(answering, { env: [{ name: "A", value: "1" }], resources: { replicas: 2 } });
    expect(await rollOut()).toMatchObject({ error: "" });
    expect(await serviceStatuses(place, [])).toEqual([
      {
        name: "web",
        state: "ready",
        replicas: { wanted: 2, ready: 2, old: 0 },
        image: expect.stringMatching(/@sha256:/),
        endpoints: [expect.stringMatching(/:8080$/), expect.stringMatching(/:8080$/)],
      },
    ]);
    expect(await apply(true)).toEqual([]);

    write(answering, { env: [{ name: "A", value: "2" }] });
    const { error, changes } = await rollOut();
    expect(error).toBe("");
    // The earlier variables stay for a rollback.
    expect(changes.filter(({ action }) => action === "delete")).toEqual([]);
    expect(await apply(true)).toEqual([]);
    expect(await rollOut()).toEqual({ error: "", changes: [] });
  });

  it("needs no token any more for pods that come where the image is", async () => {
    const { cluster, place, write, rollOut, apply } = await serviceOfTest();
    write(answering);
    expect((await rollOut()).error).toBe("");
    const [pod] = await cluster.pods();
    // As an hour later.
    const auths = { [cluster.registry.host]: { auth: Buffer.from("token:over").toString("base64") } };
    await edit(place, "Secret", "web-token", {
      data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
    });
    await cluster.admin.api.ask("DELETE", `${cluster.path("pods")}/${pod?.metadata.name}`);
    await expect
      .poll(async () => (await cluster.pods()).some(({ metadata }) => metadata.name !== pod?.metadata.name))
      .toBe(true);
    await untilReady(place);
    // It is made anew, which is nothing that anybody asked for.
    expect(await apply(true)).toEqual([]);
    expect(await apply()).toEqual([]);
    const [secret] = await cluster.list<{ data: Record<string, string> }>("secrets");
    expect(secret?.data[".dockerconfigjson"]).not.toBe(Buffer.from(JSON.stringify({ auths })).toString("base64"));
  });

  it("is over at once for a service that is not enabled", async () => {
    const { place, write, rollOut } = await serviceOfTest();
    write(answering, { enabled: false });
    expect((await rollOut()).error).toBe("");
    expect(await serviceStatuses(place, ["web"])).toMatchObject([{ state: "stopped", endpoints: [] }]);
    await expect(serviceStatuses(place, ["wob"])).rejects.toThrow(userErrorWith("service-not-found", "wob"));
  });

  it("ends with the program's last words and its status", async () => {
    const { write, rollOut, notices } = await serviceOfTest();
    write("echo one; echo two; echo no database; exit 3");
    const { error } = await rollOut();
    expect(error).toMatch(
      /Its program ended with status 3, .* Its last words: one \| two \| no database\n.* \[service-not-ready\]$/,
    );
    expect(notices.join("\n")).toContain("web: Its program ended with status 3");
  });

  it.each([
    [
      "an image that is not there",
      "",
      { image: `IMAGE@sha256:${missing}` },
      /Registry \S+ has no image .*\n.* \[service-not-ready\]$/,
    ],
    [
      "a check that is never answered",
      "busybox sleep 1000",
      {},
      /It is not ready after 30 s\. Pod web-\S+ runs and fails its startup check: dial tcp \S+: connect: connection refused\. Check `healthChecks\.startup`/,
    ],
    [
      "a check that is answered with an error",
      answering,
      { healthChecks: { startup: { path: "/" }, readiness: { path: "/nothing" } } },
      /It is not ready after 30 s\. Pod web-\S+ runs and fails its (startup|readiness) check: HTTP probe failed with statuscode: 404/,
    ],
    [
      "too little memory",
      "busybox dd if=/dev/zero of=/dev/null bs=200M",
      { resources: { replicas: 1, instanceType: "small" } },
      /It is not ready after 30 s\. It was killed because it used more than \S+ bytes of memory\. Give it more \(instanceType\)/,
    ],
    [
      "no node that is large enough",
      answering,
      { resources: { replicas: 1, instanceType: "huge" } },
      /It is not ready after 30 s\. No node takes it: .*\(instanceType\)/,
    ],
    [
      "a program that is not there",
      "",
      { command: ["/bin/nothing"] },
      / (cannot be made|cannot be started): .*\/bin\/nothing.* Check its command/,
    ],
  ])("ends with the reason: %s", async (_, script, more, words) => {
    const { image, write, rollOut } = await serviceOfTest();
    const [name = ""] = image.split("@");
    write(script, JSON.parse(JSON.stringify(more).replace("IMAGE", name)));
    // A node that has not been told of the pull secret yet pulls again after up to thirty seconds.
    expect((await rollOut({ timeLimit: "image" in more ? 90 : 30 })).error).toMatch(words);
  });

  it("tells of a quota that has no room", async () => {
    const { cluster, write, rollOut } = await serviceOfTest();
    const quota = { metadata: { name: "q" }, spec: { hard: { pods: "0" } } };
    await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/resourcequotas`, { body: quota });
    write(answering);
    expect((await rollOut({ timeLimit: 10 })).error).toMatch(
      /It is not ready after 10 s\. The namespace's quota has no room for it: exceeded quota: q/,
    );
  });
});

/** Everything of a service but what controllers note, which is not put back: versions, times, and how it is. */
async function stateOf(place: Place) {
  const objects = (await allOf(place, "web")) as readonly (LiveObject & { status?: unknown })[];
  return objects
    .map(({ status: _, metadata: { name, labels }, ...rest }) => ({ ...rest, metadata: { name, labels } }))
    .sort((one, other) => (`${one.kind} ${one.metadata.name}` < `${other.kind} ${other.metadata.name}` ? -1 : 1));
}

/** As a person does by hand. */
function edit({ api, namespace }: Place, kind: Kind, name: string, body: object): Promise<unknown> {
  const contentType = "application/merge-patch+json";
  return api.ask("PATCH", pathOf(kind, namespace, name), { query: { fieldManager: "somebody" }, body, contentType });
}

describe("rolling back", { timeout: 240_000 }, () => {
  const scaled = { replicas: 2, instanceType: "small", autoscaling: { maxReplicas: 4 } };

  it("puts every object back to what it was, whoever had set it", async () => {
    const { cluster, place, write, rollOut, apply } = await serviceOfTest();
    write(answering, { env: [{ name: "A", value: "1" }], resources: scaled });
    expect((await rollOut()).error).toBe("");
    // Not what the file says, and other fields than those that it has.
    await edit(place, "Deployment", "web", {
      metadata: { labels: { team: "blue" } },
      spec: { replicas: 3, progressDeadlineSeconds: 700, template: { spec: { terminationGracePeriodSeconds: 7 } } },
    });
    await edit(place, "Service", "web", { spec: { sessionAffinity: "ClientIP" } });
    await untilReady(place);
    const before = await stateOf(place);
    const isEnding = ({ metadata }: Pod) => metadata.deletionTimestamp !== undefined;
    const pods = (await cluster.pods()).filter((pod) => !isEnding(pod)).map(({ metadata }) => metadata.name);

    // Everything changes: the image, variables, the port, replicas, and the autoscaler is gone.
    write("exit 1", {
      image: `${cluster.registry.host}/test/none@sha256:${missing}`,
      env: [{ name: "A", value: "2" }],
      port: 8081,
      resources: { replicas: 1 },
    });
    const { error, changes } = await rollOut({ isRolledBack: true });
    expect(error).toMatch(/has no image .* The previous version is running again\.\n.* \[service-not-ready\]$/);
    expect(changes.map(({ action, kind }) => `${action} ${kind}`)).toEqual([
      "create ConfigMap",
      "change Service",
      "change Deployment",
      "delete HorizontalPodAutoscaler",
      "change Service",
      "change Deployment",
      "create HorizontalPodAutoscaler",
      "delete ConfigMap",
    ]);
    expect(await stateOf(place)).toEqual(before);
    // It never stopped.
    expect((await cluster.pods()).filter(({ metadata }) => pods.includes(metadata.name))).not.toEqual([]);

    // What was put back is Slipway's no more than it was: the next apply still decides alone.
    write(answering, { resources: { replicas: 1 } });
    expect((await rollOut()).error).toBe("");
    expect(await apply(true)).toEqual([]);
    const deployment = (await stateOf(place)).find(({ kind }) => kind === "Deployment");
    expect(deployment).toMatchObject({ spec: { replicas: 1, progressDeadlineSeconds: 700 } });
    expect(JSON.stringify(deployment)).not.toContain("envFrom");
  });

  it("deletes all of a service that was not there before", async () => {
    const { place, write, rollOut } = await serviceOfTest();
    write(answering, { command: ["/bin/nothing"], env: [{ name: "A", value: "1" }], resources: scaled });
    const { error } = await rollOut({ isRolledBack: true, timeLimit: 5 });
    expect(error).toMatch(/ \[service-not-ready\]$/);
    expect(await stateOf(place)).toEqual([]);
  });

  it("leaves alone what someone else has changed meanwhile", async () => {
    const { cluster, place, write, rollOut } = await serviceOfTest();
    write(answering);
    expect((await rollOut()).error).toBe("");
    write("busybox sleep 1000", { env: [{ name: "A", value: "2" }] });
    const failing = rollOut({ isRolledBack: true, timeLimit: 10 });
    const other = (await openCluster(cluster.env)).api;
    await expect.poll(async () => (await cluster.pods()).length, { timeout: 30_000 }).toBe(2);
    await edit({ api: other, namespace: place.namespace }, "Deployment", "web", {
      spec: { template: { spec: { terminationGracePeriodSeconds: 9 } } },
    });
    expect((await failing).error).toMatch(/The rollback failed: Someone has changed the Deployment web/);
    expect(JSON.stringify(await stateOf(place))).toContain('"terminationGracePeriodSeconds":9');
  });
});

async function untilReady(place: Place & { readonly context: string }): Promise<void> {
  // Not its state: a cluster without a metrics server never says that an autoscaler is all right.
  const replicas = async () => {
    const [status] = await serviceStatuses(place, ["web"]);
    return status && status.replicas.ready === status.replicas.wanted && status.replicas.old === 0;
  };
  await expect.poll(replicas, { timeout: 120_000, interval: 500 }).toBe(true);
}
