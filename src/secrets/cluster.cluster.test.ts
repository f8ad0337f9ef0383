import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { openCluster } from "../kubernetes/cluster.ts";
import { clusterOfTest } from "../kubernetes/testdata/cluster.ts";
import { ClusterSecrets, secretObjectName } from "./cluster.ts";

interface Secret {
  readonly metadata: { readonly name: string; readonly labels: Record<string, string> };
  readonly data: Readonly<Record<string, string>>;
}

async function storeOfTest() {
  const cluster = await clusterOfTest();
  const opened = await openCluster(cluster.env);
  return {
    cluster,
    store: new ClusterSecrets(opened),
    place: `namespace ${cluster.namespace} of cluster ${opened.context}`,
  };
}

it("keeps, replaces, lists and removes secrets", async () => {
  const { cluster, store, place } = await storeOfTest();
  expect(await store.list()).toEqual([]);
  await store.set("secret_name", Buffer.from("one"));
  await store.set("git-token", Buffer.from([0, 255, 10]));
  await store.set("secret_name", Buffer.from("two"));
  const secrets = await cluster.list<Secret>("secrets");
  const object = secretObjectName("secret_name");
  expect(secrets).toMatchObject([
    { metadata: { name: "git-token" }, data: { value: "AP8K" }, type: "Opaque" },
    {
      metadata: {
        name: object,
        labels: { "app.kubernetes.io/managed-by": "slipway", "slipway/secret": "secret_name" },
      },
      data: { value: Buffer.from("two").toString("base64") },
    },
  ]);
  const listed = await store.list();
  const set = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(listed).toEqual([
    { name: "git-token", place: `Secret git-token in ${place}`, set },
    { name: "secret_name", place: `Secret ${object} in ${place}`, set },
  ]);
  expect(await store.value("secret_name")).toEqual(Buffer.from("two"));
  expect(await store.value("other")).toBe(undefined);

  await expect(store.remove(["git-token", "other"])).rejects.toThrow(userErrorWith("secret-not-found", "other"));
  expect(await store.list()).toHaveLength(2);
  await store.remove(["git-token", "secret_name"]);
  expect(await cluster.list("secrets")).toEqual([]);
});

it("never touches a Secret that somebody else made", async () => {
  const { cluster, store } = await storeOfTest();
  const metadata = { name: "theirs", labels: { "app.kubernetes.io/managed-by": "slipway" } };
  const body = { metadata, stringData: { value: "theirs" } };
  await cluster.admin.api.ask("POST", cluster.path("secrets"), { body });
  const refusal = userErrorWith("service-conflict", "Secret theirs");
  await expect(store.set("theirs", Buffer.from("mine"))).rejects.toThrow(refusal);
  await expect(store.remove(["theirs"])).rejects.toThrow(refusal);
  await expect(store.value("theirs")).rejects.toThrow(refusal);
  expect(await store.list()).toEqual([]);
  const [secret] = await cluster.list<Secret>("secrets");
  expect(secret?.data["value"]).toBe(Buffer.from("theirs").toString("base64"));
});

it("takes any number of people at once", async () => {
  const { cluster, store } = await storeOfTest();
  const values = ["one", "two", "three", "four"];
  await Promise.all(values.map((value) => store.set("token", Buffer.from(value))));
  const secrets = await cluster.list<Secret>("secrets");
  expect(secrets).toHaveLength(1);
  expect(values).toContain(Buffer.from(secrets[0]?.data["value"] ?? "", "base64").toString());
});
