import { expect, it } from "vitest";
import type { FoundSecret } from "../../secrets/variables.ts";
import { serviceOf } from "../testdata/service.ts";
import type { Manifest } from "./manifest.ts";
import { renderService } from "./render.ts";
import { secretCopy } from "./secrets.ts";

const env = [
  { name: "LEVEL", value: "debug" },
  { name: "PASSWORD", value: "SECRET:db_password" },
];
const value = "hunter2";

/** A service whose variable PASSWORD names a secret. */
function serviceWith(found?: FoundSecret) {
  const service = serviceOf({ image: "a.io/b", port: 80, env });
  return found === undefined ? service : { ...service, secrets: { PASSWORD: found } };
}

/** The pods of a service. */
function podsOf(manifests: readonly Manifest[]) {
  const deployment = manifests.find(({ kind }) => kind === "Deployment") as unknown as {
    spec: { template: { metadata: { annotations?: object }; spec: { containers: [{ env: object[] }] } } };
  };
  const { metadata, spec } = deployment.spec.template;
  return { annotations: metadata.annotations, env: spec.containers[0].env };
}

const valueFrom = (name: unknown, key: string) => [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name, key } } }];

it("come from the Secret of `slipway secret` where nobody looked for one, and stand in no ConfigMap", () => {
  const manifests = renderService(serviceWith(), undefined);
  expect(podsOf(manifests).env).toEqual(valueFrom(expect.stringMatching(/^db-password-[0-9a-f]{8}$/), "value"));
  expect(manifests[0]).toMatchObject({ kind: "ConfigMap", data: { LEVEL: "debug" } });
  expect(JSON.stringify(manifests)).not.toContain("SECRET:");
  expect(secretCopy(serviceWith())).toBeUndefined();
});

it("come from the Secret that the cluster has; another version of it makes new pods", () => {
  const found = { reference: { name: "theirs", key: "password" }, version: "7" };
  const pods = podsOf(renderService(serviceWith(found), undefined));
  expect(pods.env).toEqual(valueFrom("theirs", "password"));
  expect(pods.annotations).toEqual({ "slipway/secrets": '{"PASSWORD":"7"}' });
  expect(secretCopy(serviceWith(found))).toBeUndefined();
});

it("come from a Secret of the service where only this machine has the value, which is nowhere else", () => {
  const service = serviceWith({ value, version: "2026-01-02" });
  const copy = secretCopy(service);
  const data = Buffer.from(value).toString("base64");
  expect(copy).toMatchObject({
    kind: "Secret",
    metadata: { name: expect.stringMatching(/^web-secrets-[0-9a-f]{10}$/), labels: { "slipway/service": "web" } },
    immutable: true,
    data: { PASSWORD: data },
  });
  const manifests = renderService(service, undefined);
  expect(podsOf(manifests).env).toEqual(valueFrom(copy?.metadata.name, "PASSWORD"));
  for (const text of [value, data]) expect(JSON.stringify(manifests)).not.toContain(text);
});

it("have a Secret whose name tells when the values were set, and nothing of them", () => {
  const named = (value: string, version: string) => secretCopy(serviceWith({ value, version }))?.metadata.name;
  expect(named("one", "2026-01-02")).toBe(named("two", "2026-01-02"));
  expect(named("one", "2026-01-02")).not.toBe(named("one", "2026-01-03"));
});
