import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import type { Api } from "../../kubernetes/api.ts";
import { clusterOfTest, type TestCluster } from "../../kubernetes/testdata/cluster.ts";
import type { Change } from "../change.ts";
import { serviceOf } from "../testdata/service.ts";
import { allOf, applyService, type Place, remove } from "./apply.ts";
import { type Kind, labelsOf, type Manifest, pathOf } from "./manifest.ts";
import { renderService } from "./render.ts";

const small = { cpu: 0.01, memory: 2 ** 20, gpu: 0, nodeSelector: {}, tolerations: [] };
const base = "image: localhost:1/nothing:1\nport: 80\n";
const stopped = `${base}enabled: false\nenv: [{name: A, value: "1"}]\n`;
const scaled = `${base}resources: {replicas: 2, instanceType: small, autoscaling: {maxReplicas: 5}}\n`;

const placeOf = ({ admin, namespace }: TestCluster): Place => ({ api: admin.api, namespace });

function apply(
  place: Place,
  text: string,
  more: readonly Manifest[] = [],
  isTrial = false,
): Promise<readonly Change[]> {
  const service = serviceOf(text);
  const manifests = renderService(service, service.instanceType === undefined ? undefined : small);
  return applyService(place, service, [...more, ...manifests], isTrial);
}

const plan = (place: Place, text: string) => apply(place, text, [], true);

interface Deployment {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: { readonly replicas: number };
}

const get = ({ api, namespace }: Place) => api.ask<Deployment>("GET", pathOf("Deployment", namespace, "web"));

/** As a person does by hand. */
function edit({ api, namespace }: Place, body: object): Promise<unknown> {
  const contentType = "application/merge-patch+json";
  const query = { fieldManager: "somebody" };
  return api.ask("PATCH", pathOf("Deployment", namespace, "web"), { query, body, contentType });
}

const kindsOf = async (place: Place) => (await allOf(place, "web")).map(({ kind }) => kind).sort();

/** The same API, to which the connection breaks once, after a question has reached it. */
function breaking(api: Api, at: number): { readonly api: Api; readonly asked: () => number } {
  let count = 0;
  const ask: Api["ask"] = async (...question) => {
    count += 1;
    const isLast = count === at;
    const answer = api.ask<never>(...question);
    if (!isLast) return answer;
    await answer.catch(() => undefined);
    throw new Error("the connection broke");
  };
  return { api: { ask } as Api, asked: () => count };
}

describe("applying a service", () => {
  it("changes what changed, and nothing the second time", async () => {
    const place = placeOf(await clusterOfTest());
    const created = ["create ConfigMap", "create Service", "create Deployment"];
    expect((await plan(place, stopped)).map(({ action, kind }) => `${action} ${kind}`)).toEqual(created);
    expect(await kindsOf(place)).toEqual([]);
    expect((await apply(place, stopped)).map(({ action, kind }) => `${action} ${kind}`)).toEqual(created);
    expect(await apply(place, stopped)).toEqual([]);
    expect(await plan(place, stopped)).toEqual([]);

    const changed = stopped.replace('"1"', '"2"').replace("port: 80", "port: 81");
    const changes = await plan(place, changed);
    expect(changes.map(({ action, kind }) => `${action} ${kind}`)).toEqual([
      "create ConfigMap",
      "change Service",
      "change Deployment",
    ]);
    expect(changes[2]?.fields).toContain("spec.template.spec.containers[0].envFrom[0].configMapRef.name");
    expect(await apply(place, changed)).toEqual(changes);
    expect(await apply(place, changed)).toEqual([]);
    // The earlier variables are there for a rollback.
    expect(await kindsOf(place)).toEqual(["ConfigMap", "ConfigMap", "Deployment", "Service"]);
  });

  it("mends what was edited by hand, and leaves alone what it has no say in", async () => {
    const place = placeOf(await clusterOfTest());
    await apply(place, stopped);
    await edit(place, {
      metadata: { annotations: { note: "mine" } },
      spec: { replicas: 1, progressDeadlineSeconds: 700 },
    });
    const differences = [{ field: "spec.replicas", before: 1, after: 0 }];
    const common = { action: "change", kind: "Deployment", name: "web" } as const;
    const drift: Change = { ...common, fields: ["spec.replicas"], differences };
    expect(await plan(place, stopped)).toEqual([drift]);
    expect((await get(place)).spec.replicas).toBe(1);
    expect(await apply(place, stopped)).toEqual([drift]);
    expect(await get(place)).toMatchObject({
      metadata: { annotations: { note: "mine" } },
      spec: { replicas: 0, progressDeadlineSeconds: 700 },
    });
  });

  it("mends ports that somebody changed by hand", async () => {
    const place = placeOf(await clusterOfTest());
    await apply(place, stopped);
    for (const [kind, path] of [
      ["Service", "/spec/ports/0/port"],
      ["Deployment", "/spec/template/spec/containers/0/ports/0/containerPort"],
    ] as const) {
      await place.api.ask("PATCH", pathOf(kind, place.namespace, "web"), {
        query: { fieldManager: "somebody" },
        body: [{ op: "replace", path, value: 81 }],
        contentType: "application/json-patch+json",
      });
    }
    const changes = await plan(place, stopped);
    expect(changes.map(({ action, kind }) => `${action} ${kind}`)).toEqual(["change Service", "change Deployment"]);
    expect(await apply(place, stopped)).toEqual(changes);
    expect(await plan(place, stopped)).toEqual([]);
    const moved = stopped.replace("port: 80", "port: 8080");
    await apply(place, moved);
    expect(JSON.stringify(await allOf(place, "web"))).not.toMatch(/ort":8[01]\b/);
  });

  it("leaves the number of replicas to the autoscaler while there is one", async () => {
    const place = placeOf(await clusterOfTest());
    await apply(place, scaled);
    expect((await get(place)).spec.replicas).toBe(2);
    await edit(place, { spec: { replicas: 4 } });
    expect(await plan(place, scaled)).toEqual([]);
    expect(await apply(place, scaled)).toEqual([]);
    expect((await get(place)).spec.replicas).toBe(4);
    const fixed = scaled.replace("maxReplicas", "enabled: false, maxReplicas");
    expect((await apply(place, fixed)).map(({ action, kind, fields }) => ({ action, kind, fields }))).toEqual([
      { action: "change", kind: "Deployment", fields: ["spec.replicas"] },
      { action: "delete", kind: "HorizontalPodAutoscaler", fields: undefined },
    ]);
    expect(await kindsOf(place)).toEqual(["Deployment", "Service"]);
  });

  it("never takes what is somebody else's", async () => {
    const place = placeOf(await clusterOfTest());
    const body = { metadata: { name: "web" }, spec: { ports: [{ port: 1 }] } };
    await place.api.ask("POST", pathOf("Service", place.namespace), { body });
    await expect(apply(place, stopped)).rejects.toThrow(userErrorWith("service-conflict", "Service web"));
    expect(await kindsOf(place)).toEqual([]);
  });

  it("keeps what a secret holds to itself", async () => {
    const place = placeOf(await clusterOfTest());
    const secret = (text: string): Manifest => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "web-pull", labels: labelsOf("web") },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths: { a: { auth: text } } })).toString("base64") },
    });
    await apply(place, stopped, [secret("one")]);
    expect(await apply(place, stopped, [secret("one")])).toEqual([]);
    expect(await apply(place, stopped, [secret("two")])).toEqual([
      { action: "change", kind: "Secret", name: "web-pull" },
    ]);
    expect(await apply(place, stopped)).toEqual([{ action: "delete", kind: "Secret", name: "web-pull" }]);
  });

  it("ends where it would have, when it is interrupted anywhere and done again", async () => {
    const place = placeOf(await clusterOfTest());
    const before = scaled.replace("image:", "env: [{name: B, value: c}]\nimage:");
    for (let at = 1, isBroken = true; isBroken; at += 1) {
      await apply(place, before);
      const broken = breaking(place.api, at);
      isBroken = await apply({ ...place, api: broken.api }, stopped).then(
        () => false,
        (error: Error) => error.message === "the connection broke",
      );
      // Each of its questions has been the last one.
      if (!isBroken) expect(broken.asked()).toBe(at - 1);
      await apply(place, stopped);
      // Variables stay as long as pods have them.
      const rest = (await plan(place, stopped)).filter(({ kind }) => kind !== "ConfigMap");
      expect(rest, `after call ${at}`).toEqual([]);
      expect((await kindsOf(place)).filter((kind: Kind) => kind !== "ConfigMap")).toEqual(["Deployment", "Service"]);
      if (!isBroken) expect(at).toBeGreaterThan(10);
    }
  });

  it("is undone by deleting all that has its labels", async () => {
    const place = placeOf(await clusterOfTest());
    await apply(place, scaled);
    await apply(place, stopped.replace("port", "name: other\nport"));
    for (const { kind, metadata } of await allOf(place, "web")) await remove(place, kind, metadata.name);
    await remove(place, "Service", "web");
    expect(await kindsOf(place)).toEqual([]);
    expect((await allOf(place, "other")).length).toBe(3);
  });
});
