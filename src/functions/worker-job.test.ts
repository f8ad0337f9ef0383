import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import { accessSecret, groupLabel, renewedAccess, type WorkerPods, workerJob } from "./worker-job.ts";

const image = "localhost:5000/a@sha256:0" as RunnableImage;
const names = { name: "f-1", namespace: "n", owner: "me", nonce: "secret-token" };
const access = { dockerConfig: undefined, files: { content: {} } };

function pods(more: Partial<WorkerPods["spec"]> = {}, env: Record<string, string> = { KEY: "a password" }): WorkerPods {
  const spec = { name: "f", programArguments: ["$(HOME)"], resources: {}, ...more };
  return { spec, image, env, references: {}, group: "abc" };
}

it("is one Job with a pod for each worker, of which none is replaced", () => {
  const { job, secrets } = workerJob(pods(), names, 3, access);
  expect(job.spec).toMatchObject({
    suspend: true,
    completionMode: "Indexed",
    completions: 3,
    parallelism: 3,
    backoffLimitPerIndex: 0,
    podReplacementPolicy: "Failed",
    activeDeadlineSeconds: 86400,
    ttlSecondsAfterFinished: 10,
  });
  for (const field of ["backoffLimit", "podFailurePolicy"]) expect(job.spec).not.toHaveProperty(field);
  for (const { labels } of [job.metadata, job.spec.template.metadata ?? {}]) {
    expect(labels).toMatchObject({
      "app.kubernetes.io/managed-by": "slipway",
      "slipway/user": "me",
      [groupLabel]: "abc",
    });
  }
  expect(job.spec.template.spec?.containers[0]?.args).toEqual(["$$(HOME)"]);
  expect(secrets.map(({ metadata }) => metadata.name)).toEqual(["f-1-input", "f-1-access"]);
});

it("has the token and the values of variables in a Secret alone", () => {
  const { job, secrets } = workerJob(pods(), names, 1, access);
  for (const secret of ["a password", "secret-token"]) expect(JSON.stringify(job)).not.toContain(secret);
  const { data = {} } = secrets[0] ?? {};
  const value = (name: string) => Buffer.from(data[`variable.${name}`] ?? "", "base64").toString();
  expect(["KEY", "SLIPWAY_WORKER", "SLIPWAY_WORKER_CHANNEL", "SLIPWAY_WORKER_TOKEN"].map(value)).toEqual([
    "a password",
    "1",
    "tcp:4747",
    "secret-token",
  ]);
});

it("mounts the claims of its volumes, and runs where its instance type says", () => {
  const resources = { cpu: 1, nodeSelector: { pool: "a" }, tolerations: [], priorityClass: "low" };
  const { job } = workerJob(pods({ volumes: { "/data": { claim: "data" } }, resources }), names, 1, access);
  const { spec } = job.spec.template;
  expect(spec?.volumes).toContainEqual({
    name: "claim-0",
    persistentVolumeClaim: { claimName: "data", readOnly: true },
  });
  expect(spec).toMatchObject({ nodeSelector: { pool: "a" }, priorityClassName: "low" });
});

it("gives pods access to the registry in a Secret that is renewed, and the Secret that the user named", () => {
  const content = { url: "http://r/v2/a/", authorization: "Bearer geheim" };
  const { job, secrets } = workerJob(pods(), names, 1, { ...access, files: { content, credential: "writer" } });
  const [key = "", value] = Object.entries(renewedAccess(content) as { data: object })[0] ?? [];
  const secret = secrets.find(({ metadata }) => metadata.name === accessSecret("f-1"));
  expect(secret).toMatchObject({ [key]: value });
  expect(Buffer.from(secret?.data["access"] ?? "", "base64").toString()).toBe(JSON.stringify(content));
  const text = JSON.stringify(job);
  expect(text).not.toContain("geheim");
  expect(text).toContain('{"secret":{"name":"writer","items":[{"key":"username"');
  expect(text).toContain('{"name":"files","mountPath":"/slipway/files","readOnly":true}');
});

it("refuses a variable that no pod can have", () => {
  expect(() => workerJob(pods({}, { "A B": "1" }), names, 1, access)).toThrow(userErrorWith("variable-invalid", "A B"));
});
