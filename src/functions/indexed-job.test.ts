import { describe, expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import type { CallBatch } from "./calls.ts";
import { accessSecret, indexedJob, renewedAccess } from "./indexed-job.ts";
import { batch as oneCall } from "./testdata/batch.ts";

const image = "localhost:5000/a@sha256:0" as RunnableImage;
const names = { name: "square-1", namespace: "n", owner: "me", nonce: "secret-nonce" };

function batch(inputs: readonly string[], more: Partial<CallBatch> = {}): CallBatch {
  return { ...oneCall, env: { KEY: "a password" }, name: "square", inputs, ...more };
}

describe("indexedJob", () => {
  it("is one Job with an index for each call, of which each may fail alone", () => {
    const { job, secrets } = indexedJob(batch(["[0]", "[1]", "[2]"], { parallelism: 2 }), image, names, undefined);
    expect(job.spec).toMatchObject({
      suspend: true,
      completionMode: "Indexed",
      completions: 3,
      parallelism: 2,
      backoffLimitPerIndex: 0,
      activeDeadlineSeconds: 86400,
      ttlSecondsAfterFinished: 600,
    });
    expect(job.spec).not.toHaveProperty("backoffLimit");
    expect(secrets.map(({ metadata }) => metadata.name)).toEqual(["square-1-input", "square-1-calls-0"]);
    const text = JSON.stringify(job);
    for (const secret of ["a password", "[0]"]) expect(text).not.toContain(secret);
  });

  it("repeats an index that fails as often as it says, each attempt with the time limit", () => {
    const { job } = indexedJob(batch(["[0]"], { retries: 3, timeLimit: 90 }), image, names, undefined);
    expect(job.spec).toMatchObject({ backoffLimitPerIndex: 3, activeDeadlineSeconds: 86400 });
    expect(job.spec.template.spec).toMatchObject({ activeDeadlineSeconds: 90 });
  });

  it("mounts the claims of its volumes", () => {
    const { job } = indexedJob(batch(["[0]"], { volumes: { "/data": { claim: "data" } } }), image, names, undefined);
    expect(job.spec.template.spec?.volumes).toContainEqual({
      name: "claim-0",
      persistentVolumeClaim: { claimName: "data", readOnly: true },
    });
  });

  it("runs where its instance type says, and makes pods again that their nodes gave up", () => {
    const resources = { cpu: 1, nodeSelector: { pool: "a" }, tolerations: [], priorityClass: "low" };
    const { job } = indexedJob(batch(["[0]"], { resources }), image, names, undefined);
    expect(job.spec.template.spec).toMatchObject({ nodeSelector: { pool: "a" }, priorityClassName: "low" });
    const onPodConditions = [{ type: "DisruptionTarget", status: "True" }];
    expect(job.spec["podFailurePolicy"]).toEqual({ rules: [{ action: "Ignore", onPodConditions }] });
  });

  it("takes 1,000 small items in one Secret, and large ones in parts that together are all of them", () => {
    const small = Array.from({ length: 1000 }, (_, index) => `[${index}]`);
    expect(indexedJob(batch(small), image, names, undefined).secrets).toHaveLength(2);
    const large = Array.from({ length: 5 }, (_, index) => JSON.stringify([`${index}ä`.repeat(200_000)]));
    const parts = indexedJob(batch(large), image, names, "{}").secrets.filter(({ data }) => "part" in data);
    const bytes = parts.map(({ data }) => Buffer.from(data["part"] ?? "", "base64"));
    expect(Buffer.concat(bytes).toString()).toBe(large.join("\n"));
    for (const part of bytes) expect(part.length).toBeLessThanOrEqual(1024 * 1024);
  });

  it("gives pods access to the registry in a Secret that there is anyway, and the Secret that the user named", () => {
    const content = { url: "http://r/v2/a/", authorization: "Bearer geheim" };
    const { job, secrets } = indexedJob(batch(["[0]"]), image, names, undefined, {}, { content, credential: "writer" });
    expect(secrets).toHaveLength(2);
    const [key = "", value] = Object.entries(renewedAccess(content) as { data: object })[0] ?? [];
    const secret = secrets.find(({ metadata }) => metadata.name === accessSecret("square-1"));
    expect(secret).toMatchObject({ [key]: value });
    expect(Buffer.from(secret?.data["access"] ?? "", "base64").toString()).toBe(JSON.stringify(content));
    const text = JSON.stringify(job);
    expect(text).not.toContain("geheim");
    expect(text).toContain('{"secret":{"name":"writer","items":[{"key":"username"');
    expect(text).toContain('{"name":"files","mountPath":"/slipway/files","readOnly":true}');
  });

  it("refuses more than goes through", () => {
    const many = Array.from({ length: 17 }, () => JSON.stringify(["x".repeat(1024 * 1024)]));
    expect(() => indexedJob(batch(many), image, names, undefined)).toThrow(userErrorWith("value-invalid", "square"));
  });
});
