import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultInstanceTypes } from "../../config/instance-types.ts";
import { clusterOfTest } from "../../kubernetes/testdata/cluster.ts";
import { parseServices } from "../read.ts";
import { contentsOf } from "../served-models.ts";
import { serviceOf } from "../testdata/service.ts";
import { pathOf } from "./manifest.ts";
import { podContent } from "./pod.ts";
import { renderService } from "./render.ts";

const examples = join(import.meta.dirname, "../../../examples/services");
const types = Object.keys(defaultInstanceTypes);

const syncImage = `a.io/sync@sha256:${"0".repeat(64)}`;

/** Every part of a rendering at once. */
const everything = `image: a.io/b@sha256:${"0".repeat(64)}
containerRegistry: hub
command: [run, $(A)]
env: [{name: A, value: "yes"}, {name: "y", value: ""}]
models: [{id: "m@sha256:${"0".repeat(64)}"}, {id: n, path: /n}]
resources:
  ports: [80, 8443]
  machineType: A100
  replicas: 2
  autoscaling: {maxReplicas: 4, metrics: [{metric: cpu, value: 50}, {metric: memory, value: 60}]}
healthChecks: {startup: {path: /, failureThreshold: 1000}, readiness: {path: /r, port: 80}, liveness: {path: /l?a=%20}}
`;

describe("an API server, strict and in a namespace that is restricted", () => {
  it("accepts what every service is rendered to, and fills in nothing that was said", async () => {
    const { admin, namespace } = await clusterOfTest();
    const dry = { dryRun: "All", fieldManager: "slipway", fieldValidation: "Strict" };
    const texts = {
      "everything-there-is.yaml": everything,
      "stopped.yaml": `${everything}enabled: false\n`,
      ...Object.fromEntries(readdirSync(examples).map((name) => [name, readFileSync(join(examples, name), "utf8")])),
    };
    let accepted = 0;
    for (const [name, text] of Object.entries(texts).filter(([each]) => each.endsWith(".yaml"))) {
      for (const { service } of parseServices(text, name, types)) {
        const contents = await contentsOf(service, { instanceTypes: {} }, { SLIPWAY_REGISTRY: "r.io" });
        const content = contents.length === 0 ? undefined : podContent(contents, syncImage);
        for (const manifest of renderService(service, defaultInstanceTypes[service.instanceType ?? ""], content)) {
          const path = pathOf(manifest.kind, namespace, manifest.metadata.name);
          const contentType = "application/apply-patch+yaml";
          const answer = await admin.api.ask("PATCH", path, { query: dry, body: manifest, contentType });
          expect(answer).toMatchObject(JSON.parse(JSON.stringify(manifest)) as object);
          accepted += 1;
          if (manifest.kind !== "Deployment") continue;
          // Whether a pod is restricted enough is asked of pods alone.
          const { template } = manifest["spec"] as { template: { metadata: object; spec: object } };
          const pod = { metadata: { ...template.metadata, name: "pod" }, spec: template.spec };
          await admin.api.ask("POST", `/api/v1/namespaces/${namespace}/pods`, { query: dry, body: pod });
        }
      }
    }
    expect(accepted).toBe(22);
  });

  it("refuses what it does not know", async () => {
    const { admin, namespace } = await clusterOfTest();
    const [map] = renderService(serviceOf(everything), undefined);
    const query = { dryRun: "All", fieldManager: "slipway", fieldValidation: "Strict" };
    const path = pathOf("ConfigMap", namespace, map?.metadata.name);
    const asked = { query, body: { ...map, immutabel: true }, contentType: "application/apply-patch+yaml" };
    await expect(admin.api.ask("PATCH", path, asked)).rejects.toThrow(/immutabel/);
  });
});
