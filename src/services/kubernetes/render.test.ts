import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { defaultInstanceTypes } from "../../config/instance-types.ts";
import { serviceOf } from "../testdata/service.ts";
import type { Manifest } from "./manifest.ts";
import { type PodContent, podContent } from "./pod.ts";
import { renderService } from "./render.ts";
import { manifestsAsJson, manifestsAsYaml } from "./render-file.ts";

function render(text: string, content?: PodContent): readonly Manifest[] {
  const service = serviceOf(text);
  return renderService(service, defaultInstanceTypes[service.instanceType ?? ""], content);
}

const kindsOf = (text: string) => render(text).map(({ kind }) => kind);
const one = "image: a.io/b:1\nport: 80\n";

/** The Deployment's pods. */
function podsOf(text: string) {
  const deployment = render(text).find(({ kind }) => kind === "Deployment") as unknown as {
    spec: { replicas?: number; template: { spec: { containers: object[] } } };
  };
  const { containers, ...pod } = deployment.spec.template.spec;
  return { replicas: deployment.spec.replicas, pod, container: containers[0] as Record<string, unknown> };
}

describe("a service in Kubernetes", () => {
  it("is a Service and a Deployment of pods that may do nothing special", () => {
    expect(manifestsAsYaml(render(one))).toBe(`---
apiVersion: v1
kind: Service
metadata:
  name: web
  labels:
    app.kubernetes.io/managed-by: slipway
    app.kubernetes.io/name: web
    slipway/service: web
spec:
  type: ClusterIP
  selector:
    slipway/service: web
  ports:
    - name: port-80
      port: 80
      targetPort: 80
      protocol: TCP
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app.kubernetes.io/managed-by: slipway
    app.kubernetes.io/name: web
    slipway/service: web
spec:
  replicas: 1
  minReadySeconds: 5
  selector:
    matchLabels:
      slipway/service: web
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app.kubernetes.io/managed-by: slipway
        app.kubernetes.io/name: web
        slipway/service: web
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 60
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: main
          image: a.io/b:1
          ports:
            - name: port-80
              containerPort: 80
              protocol: TCP
          startupProbe:
            tcpSocket:
              port: 80
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 120
          readinessProbe:
            tcpSocket:
              port: 80
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 3
          lifecycle:
            preStop:
              sleep:
                seconds: 5
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop:
                - ALL
`);
  });

  it("has its variables in a ConfigMap that is called by what it holds", () => {
    const named = (value: string) => {
      const [map] = render(`${one}env: [{name: A, value: "${value}"}, {name: B, value: $(A)}]\n`);
      return map as Manifest & { data: object };
    };
    expect(named("1")).toMatchObject({ kind: "ConfigMap", immutable: true, data: { A: "1", B: "$(A)" } });
    expect(named("1").metadata.name).toMatch(/^web-env-[0-9a-f]{10}$/);
    expect(named("2").metadata.name).not.toBe(named("1").metadata.name);
    const { container } = podsOf(`${one}env: [{name: A, value: "1"}, {name: B, value: $(A)}]\n`);
    expect(container["envFrom"]).toEqual([{ configMapRef: { name: named("1").metadata.name } }]);
    // The order in which they stand changes nothing.
    expect(render(`${one}env: [{name: B, value: $(A)}, {name: A, value: "1"}]\n`)).toEqual(
      render(`${one}env: [{name: A, value: "1"}, {name: B, value: $(A)}]\n`),
    );
  });

  it("names the secret to pull with, and knows nothing of what is in it", () => {
    expect(podsOf(`${one}containerRegistry: hub\n`).pod).toMatchObject({ imagePullSecrets: [{ name: "web-pull" }] });
    expect(kindsOf(`${one}containerRegistry: hub\n`)).toEqual(["Service", "Deployment"]);
  });

  it("has its command literally", () => {
    expect(podsOf(`${one}command: [echo, $(A), $$, $]\n`).container["command"]).toEqual([
      "echo",
      "$$(A)",
      "$$$$",
      "$$",
    ]);
  });

  it("gets what its type has, and nodes that have it", () => {
    const amounts = { cpu: "2", memory: String(4 * 2 ** 30) };
    expect(podsOf(`${one}resources: {instanceType: C4}\n`).container["resources"]).toEqual({
      requests: amounts,
      limits: amounts,
    });
    const { pod, container } = podsOf(`${one}resources: {machineType: V100}\n`);
    expect(pod).toMatchObject({ tolerations: [{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }] });
    expect(container["resources"]).toMatchObject({ limits: { "nvidia.com/gpu": "1" } });
    const own = { cpu: 0.0005, memory: 1, gpu: 0, nodeSelector: { pool: "a" }, tolerations: [], priorityClass: "high" };
    expect(JSON.stringify(renderService(serviceOf(one), own))).toContain(
      '"nodeSelector":{"pool":"a"},"priorityClassName":"high","containers":[',
    );
  });

  it("has as many replicas as it says, none while it is not enabled, or as many as the autoscaler says", () => {
    expect(podsOf(`${one}resources: {replicas: 3}\n`).replicas).toBe(3);
    expect(podsOf(`${one}enabled: false\nresources: {replicas: 3}\n`).replicas).toBe(0);
    const scaled = `${one}resources: {replicas: 2, instanceType: C4, autoscaling: {maxReplicas: 5, metrics: [{metric: memory, value: 70}]}}\n`;
    expect(podsOf(scaled).replicas).toBeUndefined();
    expect(render(scaled).at(-1)).toMatchObject({
      kind: "HorizontalPodAutoscaler",
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        minReplicas: 2,
        maxReplicas: 5,
        metrics: [
          { type: "Resource", resource: { name: "memory", target: { type: "Utilization", averageUtilization: 70 } } },
        ],
      },
    });
    expect(kindsOf(`${scaled}enabled: false\n`)).toEqual(["Service", "Deployment"]);
    expect(kindsOf(scaled.replace("maxReplicas", "enabled: false, maxReplicas"))).toEqual(["Service", "Deployment"]);
  });

  it("is asked how it is as it says", () => {
    const { container } = podsOf(
      `${one}healthChecks: {readiness: {path: /ready, periodSeconds: 1}, liveness: {path: "/live?x=1", port: 81, failureThreshold: 9}}\n`,
    );
    expect(container["startupProbe"]).toMatchObject({
      httpGet: { path: "/ready", port: 80 },
      periodSeconds: 5,
      failureThreshold: 120,
    });
    expect(container["readinessProbe"]).toMatchObject({
      httpGet: { path: "/ready", port: 80 },
      periodSeconds: 1,
      failureThreshold: 3,
    });
    expect(container["livenessProbe"]).toMatchObject({ httpGet: { path: "/live?x=1", port: 81 }, failureThreshold: 9 });
    expect(Object.keys(podsOf(one).container)).not.toContain("livenessProbe");
  });

  it("takes every name as long as it may be", () => {
    const manifests = render(`${one}name: ${"a".repeat(40)}\nenv: [{name: A, value: b}]\ncontainerRegistry: hub\n`);
    expect(manifests.filter(({ metadata }) => metadata.name.length > 63)).toEqual([]);
  });
});

describe("what brings content to a service", () => {
  const content = podContent([{ kind: "models", arguments: [], mounts: [], secrets: [] }], "a.io/sync");
  const resourcesOf = (type: string) => {
    const deployment = render(`${one}resources: {instanceType: ${type}}\n`, content).at(-1) as unknown as {
      spec: { template: { spec: { initContainers: { resources: object }[] } } };
    };
    return deployment.spec.template.spec.initContainers.map(({ resources }) => resources);
  };
  it("gets what the service has, and enough, but for graphics processors", () => {
    const small = { cpu: "1", memory: String(2 ** 29) };
    const large = { cpu: "12", memory: String(90 * 2 ** 30) };
    expect(resourcesOf("C1")).toEqual([{ requests: small, limits: small }]);
    expect(resourcesOf("A100")).toEqual([{ requests: large, limits: large }]);
  });
});

describe("manifests as text", () => {
  const anyEnv = fc.dictionary(
    fc.oneof(
      fc.constantFrom("y", "n", "NO", "on", "null", "e1", "_"),
      fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
    ),
    fc.oneof(
      fc.constantFrom(
        "yes",
        "NO",
        "on",
        "~",
        "null",
        "12:30:45",
        "0o17",
        "017",
        "1_000",
        "0x1f",
        "1e3",
        ".inf",
        "2001-01-01",
        "=",
        "<<",
        " a ",
        "a\nb\n",
        "\u0085",
        "#",
        "- a",
        "? a",
        "!a",
        "*a",
      ),
      fc.string(),
      fc.string({ unit: "grapheme" }),
    ),
    { maxKeys: 5 },
  );

  it("mean the same in YAML 1.1, YAML 1.2 and JSON, and are the same bytes every time", () => {
    fc.assert(
      fc.property(anyEnv, (env) => {
        const spec = { image: "a", port: 1, env: Object.entries(env).map(([name, value]) => ({ name, value })) };
        const manifests = render(JSON.stringify(spec));
        const text = manifestsAsYaml(manifests);
        const plain = JSON.parse(JSON.stringify(manifests)) as unknown;
        for (const version of ["1.1", "1.2"] as const) {
          expect([...parseAllDocuments(text, { version })].map((document) => document.toJS() as unknown)).toEqual(
            plain,
          );
        }
        expect((parse(manifestsAsJson(manifests)) as { items: unknown }).items).toEqual(plain);
        expect(manifestsAsYaml(render(JSON.stringify(spec)))).toBe(text);
      }),
    );
  });
});
