import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyFile } from "../../src/services/kubernetes/apply-file.ts";
import {
  manifestsAsJson,
  manifestsAsYaml,
  renderFile,
  resolveOutside,
} from "../../src/services/kubernetes/render-file.ts";
import type { ServiceDocument } from "../../src/services/read.ts";
import { shellImage } from "./testdata/image.ts";
import { kubectl } from "./testdata/kubectl.ts";
import { TestNamespace } from "./testdata/namespace.ts";
import { allInEmbeddedRegistry } from "./testdata/registries.ts";

const examples = join(import.meta.dirname, "../../examples/services");
const files = readdirSync(examples).filter((name) => name.endsWith(".yaml"));
const syncImage = `registry.example.com/sync@sha256:${"0".repeat(64)}`;

/** What `slipway service render` prints. */
async function render(path: string, env: Record<string, string>, isResolved = false) {
  const resolve = isResolved ? (document: ServiceDocument) => resolveOutside(document, env) : undefined;
  const manifests = (await renderFile({ path, name: path }, env, resolve)).flatMap((each) => each.manifests);
  return { count: manifests.length, yaml: manifestsAsYaml(manifests), json: manifestsAsJson(manifests) };
}

/** What kubectl would change, as text. */
function difference(namespace: TestNamespace, manifests: string, ...options: string[]): string {
  const args = ["diff", `--namespace=${namespace.name}`, "--filename=-", ...options];
  try {
    return execFileSync("kubectl", args, { input: manifests, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    // With a difference it ends with 1.
    if (status === 1 && stderr === "") return stdout;
    throw new Error(`kubectl diff: ${status} ${stderr}`);
  }
}

it("there are examples", () => {
  expect(files.length).toBeGreaterThanOrEqual(5);
});

describe.each(files)("what %s is rendered to", (file) => {
  it("is accepted by a strict API server, as YAML and as JSON", async () => {
    const namespace = await TestNamespace.make();
    const { yaml, json, count } = await render(join(examples, file), {
      ...namespace.env,
      SLIPWAY_SYNC_IMAGE: syncImage,
      SLIPWAY_REGISTRY: "registry.example.com",
    });
    const args = ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--output=name", "--filename=-"];
    for (const text of [yaml, json]) {
      const accepted = await kubectl([...args, `--namespace=${namespace.name}`], text);
      expect(accepted.trim().split("\n")).toHaveLength(count);
    }
    await expect(
      kubectl([...args, `--namespace=${namespace.name}`], yaml.replace("  selector:", "  selektor: 1\n  selector:")),
    ).rejects.toThrow(/selektor/);
  });
});

describe("kubectl diff", () => {
  const readiness = { path: "/", periodSeconds: 2 };
  const more: [string, object][] = [
    ["a service with the least", {}],
    ["a service that is not enabled", { enabled: false }],
    [
      "a service with all that there is",
      {
        command: ["sh", "-c", "sleep 1000; echo $(A)"],
        env: [
          { name: "A", value: "yes" },
          { name: "B", value: "0o17" },
        ],
        resources: { ports: [8080, 8443], replicas: 2, machineType: "C1", autoscaling: { maxReplicas: 3 } },
        healthChecks: { startup: { path: "/s" }, readiness, liveness: readiness },
      },
    ],
  ];

  it.each(more)("finds nothing after apply: %s", async (_, service) => {
    const namespace = await TestNamespace.make();
    const [image = ""] = await allInEmbeddedRegistry([shellImage()], namespace.env);
    const [repository = ""] = image.split("@");
    const path = join(namespace.home, "web.yaml");
    const write = (name: string) => {
      const ports = "resources" in service ? {} : { port: 8080 };
      writeFileSync(path, JSON.stringify({ image: name, ...ports, ...service }));
    };
    write(`${repository}:v1`);
    await applyFile({ path, name: "web.yaml" }, namespace.env, false);
    const { yaml } = await render(path, namespace.env, true);
    expect(yaml, "the tag is a digest").toContain(image);
    expect(difference(namespace, yaml)).toBe("");
    // How many replicas there are while an autoscaler decides is not in a rendering, and apply leaves what there is.
    if (!yaml.includes("kind: HorizontalPodAutoscaler")) {
      const options = ["--server-side", "--field-manager=slipway", "--force-conflicts"];
      expect(difference(namespace, yaml, ...options)).toBe("");
    }
    expect(difference(namespace, yaml.replace(image, `${repository}:v2`))).toMatch(/^\+.* image: \S+:v2$/m);
  });
});
