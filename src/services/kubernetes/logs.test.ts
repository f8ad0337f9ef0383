import { expect, it, onTestFinished } from "vitest";
import { openCluster } from "../../kubernetes/cluster.ts";
import { apiServer, list } from "../../kubernetes/testdata/api-server.ts";
import { showServiceLogs } from "./logs.ts";
import { labelsOf } from "./manifest.ts";

it("says that no pod of a service runs, for as long as its log is followed", { timeout: 30_000 }, async () => {
  const metadata = {
    uid: "u",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: labelsOf("web"),
  };
  const deployment = { metadata: { ...metadata, name: "web" }, spec: { template: { spec: { containers: [] } } } };
  const pod = { metadata: { ...metadata, name: "web-x" }, spec: { containers: [] }, status: { phase: "Pending" } };
  const env = await apiServer(({ url }, response) => {
    if (url.includes("watch=true")) response.flushHeaders();
    else if (url.includes("/deployments")) response.end(list([deployment]));
    else response.end(list(url.includes("/pods") ? [pod] : []));
  });
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const notices: string[] = [];
  const options = { follow: true, signal: over.signal, notice: (text: string) => void notices.push(text) };
  const shown = showServiceLogs(await openCluster(env), "web", options, async () => {});
  const words = /^Waiting for a pod of web that runs; `slipway service status web` says why there is none \(\d+ s\)$/;
  await expect.poll(() => notices.filter((text) => words.test(text)).length, { timeout: 20_000 }).toBe(2);
  over.abort();
  await expect(shown).rejects.toThrow(/abort/);
});
