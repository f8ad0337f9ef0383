import { expect, it, vi } from "vitest";
import { apiServer, list } from "../../kubernetes/testdata/api-server.ts";
import { labelsOf } from "../../services/kubernetes/manifest.ts";
import { restart } from "./service-history.ts";

const metadata = { name: "web", uid: "d", resourceVersion: "7", generation: 2, labels: labelsOf("web") };
const status = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
const deployment = { metadata, spec: { replicas: 1, template: { spec: { containers: [] } } }, status };

it("tells what became of a restart", async () => {
  const env = await apiServer(({ url, method }, response) => {
    if (url.includes("watch=true")) response.flushHeaders();
    else if (method === "PATCH" || url.endsWith("/deployments/web")) response.end(JSON.stringify(deployment));
    else response.end(list(url.includes("/deployments") ? [deployment] : []));
  });
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const options = { name: "web", engine: "kubernetes", timeLimit: 60 } as const;
  await restart.run({ ...options, wait: false });
  const replaces = [expect.stringMatching(/^slipway: The cluster replaces the pods of web: .*status web/)];
  expect(told.mock.calls).toEqual([replaces]);
  await restart.run({ ...options, wait: true });
  expect(told.mock.calls).toEqual([replaces, replaces, ["slipway: web has restarted, and is ready.\n"]]);
});
