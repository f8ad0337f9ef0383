import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { openCluster } from "../kubernetes/cluster.ts";
import { apiServer, refuse } from "../kubernetes/testdata/api-server.ts";
import { ClusterSecrets } from "./cluster.ts";

/** The secrets of a cluster whose server has some objects, and the questions that it was asked. */
async function storeOf(secrets: Readonly<Record<string, { readonly labels?: object; readonly data: object }>>) {
  const asked: string[] = [];
  const env = await apiServer(({ method, url, headers }, response) => {
    const name = /\/secrets\/([^/?]+)$/.exec(url)?.[1] ?? "";
    const secret = secrets[name];
    if (secret === undefined) return refuse(response, 404);
    const isPartial = headers.accept?.includes("PartialObjectMetadata") ?? false;
    asked.push(`${method} ${name}${isPartial ? "" : " with data"}`);
    const annotations = { "slipway/set": "2026-01-02" };
    const metadata = { name, resourceVersion: "7", labels: secret.labels, annotations };
    response.end(JSON.stringify({ metadata, ...(isPartial ? {} : { data: secret.data }) }));
  });
  return { asked, store: new ClusterSecrets(await openCluster(env)) };
}

it("refers to a secret of Slipway without reading its value", async () => {
  const { asked, store } = await storeOf({ token: { labels: { "slipway/secret": "token" }, data: { value: "eA==" } } });
  const reference = { name: "token", key: "value" };
  expect(await store.variable("token")).toEqual({ reference, version: "2026-01-02" });
  expect(asked).toEqual(["GET token"]);
  expect(await store.variable("other")).toBeUndefined();
});

it("refers to the user's own Secret: to its key `value`, else to its only one", async () => {
  const { store } = await storeOf({
    one: { data: { password: "eA==" } },
    several: { data: { user: "eA==", value: "eA==" } },
    unclear: { data: { user: "eA==", password: "eA==" } },
    empty: { data: {} },
  });
  expect(await store.variable("one")).toEqual({ reference: { name: "one", key: "password" }, version: "7" });
  expect(await store.variable("several")).toEqual({ reference: { name: "several", key: "value" }, version: "7" });
  for (const name of ["unclear", "empty"]) {
    await expect(store.variable(name)).rejects.toThrow(userErrorWith("credential-invalid", `SECRET:${name}`));
  }
});
