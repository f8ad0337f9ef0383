import { describe, expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import type { Job } from "../../kubernetes/objects.ts";
import type { RunnableImage } from "../../oci/runnable-image.ts";
import type { Program } from "../program.ts";
import { jobObjects, maximumInput } from "./job.ts";
import { statusOf } from "./status.ts";
import { shell } from "./testdata/program.ts";

const image = "r.example.com/a@sha256:0" as RunnableImage;
const names = { name: "report-1", namespace: "n", owner: "me", nonce: "0f" };
const make = (more: Partial<Program> = {}, dockerConfig?: string) =>
  jobObjects(shell(image, "run", more), image, names, dockerConfig);

// biome-ignore lint/suspicious/noExplicitAny: a manifest is data of any shape
const podOf = (objects: ReturnType<typeof jobObjects>): any => objects.job.spec.template.spec;

describe("the objects of a job", () => {
  it("satisfy the restricted Pod Security Standard", () => {
    const pod = podOf(make());
    expect(pod).toMatchObject({
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(pod.containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
  });

  it("are one job that begins at once where nothing else is needed", () => {
    const { job, secrets } = make();
    expect(secrets).toEqual([]);
    expect(job.spec).toMatchObject({ suspend: false, backoffLimit: 0, ttlSecondsAfterFinished: 86_400 });
    expect(job.metadata.labels).toEqual({ "app.kubernetes.io/managed-by": "slipway", "slipway/user": "me" });
    expect(podOf({ job, secrets }).activeDeadlineSeconds).toBeUndefined();
  });

  it("say which image and commit run", () => {
    const made = { ...make({ commit: "c0ffee" }).job } as unknown as Job;
    const job = { ...made, metadata: { ...made.metadata, creationTimestamp: "2026-01-01T00:00:00Z", uid: "1" } };
    expect(statusOf("a", { job, pods: [] })).toMatchObject({ image, commit: "c0ffee", state: "queued" });
  });

  it("mount claims, each once, and let the image's user write where it may", () => {
    const pod = podOf(
      make({
        volumes: { "/in": { claim: "data" }, "/out": { claim: "data", writable: true }, "/more": { claim: "more" } },
      }),
    );
    expect(pod.volumes.slice(-2)).toEqual([
      { name: "claim-0", persistentVolumeClaim: { claimName: "data", readOnly: false } },
      { name: "claim-2", persistentVolumeClaim: { claimName: "more", readOnly: true } },
    ]);
    expect(pod.containers[0].volumeMounts.slice(-3)).toEqual([
      { name: "claim-0", mountPath: "/in", readOnly: true },
      { name: "claim-0", mountPath: "/out" },
      { name: "claim-2", mountPath: "/more", readOnly: true },
    ]);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, fsGroup: 1000 });
    expect(() => make({ volumes: { "/in": { folder: "/data" } } })).toThrow(userErrorWith("volume-unusable", "/in"));
  });

  it("say what the job may use, as requests and limits alike", () => {
    const pod = podOf(make({ resources: { cpu: 0.25, memory: 1000, gpu: 2 }, timeLimit: 1.5, retries: 3 }));
    const limits = { cpu: "250m", memory: "1000", "nvidia.com/gpu": "2" };
    expect(pod.containers[0].resources).toEqual({ requests: limits, limits });
    expect(pod.activeDeadlineSeconds).toBe(2);
    expect(make({ retries: 3 }).job.spec["backoffLimit"]).toBe(3);
  });

  it("run where their instance type says, and on nodes that may go are made again with them", () => {
    const resources = { nodeSelector: { pool: "a" }, tolerations: [{ key: "k", operator: "Exists" }] } as const;
    expect(podOf(make({ resources }))).toMatchObject({ nodeSelector: { pool: "a" }, tolerations: [{ key: "k" }] });
    const rulesOf = (more: Partial<Program>) => make(more).job.spec["podFailurePolicy"];
    const again = { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] };
    const first = { rules: [again, { action: "FailJob", onExitCodes: expect.anything() }] };
    expect(rulesOf({ resources: { spot: true } })).toEqual(first);
    expect(rulesOf({ matrix: { A: ["1"] } })).toEqual(first);
    expect(rulesOf({ resources })).toEqual({ rules: [expect.objectContaining({ action: "FailJob" })] });
  });

  it("have values of variables in the secret alone, and the job waits for it", () => {
    const { job, secrets } = make({ env: { A: "hush", "b.c": "" } });
    expect(job.spec.suspend).toBe(true);
    expect(JSON.stringify(job)).not.toContain("hush");
    expect(podOf({ job, secrets }).containers[0].env).toEqual([
      { name: "HOME", value: "/home/slipway" },
      { name: "A", valueFrom: { secretKeyRef: { name: "report-1-input", key: "variable.A" } } },
      { name: "b.c", valueFrom: { secretKeyRef: { name: "report-1-input", key: "variable.b.c" } } },
    ]);
    expect(secrets).toMatchObject([{ data: { "variable.A": btoa("hush"), "variable.b.c": "" } }]);
  });

  it("take secrets that are there from where they are", () => {
    const references = { B: { name: "theirs", key: "password" } };
    const objects = jobObjects(shell(image, "run", { env: { A: "1" } }), image, names, undefined, [], references);
    expect(podOf(objects).containers[0].env).toEqual([
      { name: "HOME", value: "/home/slipway" },
      { name: "A", valueFrom: { secretKeyRef: { name: "report-1-input", key: "variable.A" } } },
      { name: "B", valueFrom: { secretKeyRef: { name: "theirs", key: "password" } } },
    ]);
    const unfit = () => jobObjects(shell(image, "run"), image, names, undefined, [], { "A B": references.B });
    expect(unfit).toThrow(userErrorWith("variable-invalid", "A B"));
  });

  it("give a function its arguments in a file, and a place for its result", () => {
    const { job, secrets } = make({ isFunction: true, stdin: "[1]" });
    const [container] = podOf({ job, secrets }).containers;
    expect(container.env).toContainEqual({ name: "SLIPWAY_CALL_INPUT", value: "/slipway/input/arguments.json" });
    expect(container.volumeMounts).toContainEqual({ name: "input", mountPath: "/slipway/input", readOnly: true });
    expect(secrets[0]?.data["arguments.json"]).toBe(btoa("[1]"));
    expect(job.metadata.annotations).toEqual({ "slipway/nonce": "0f" });
  });

  it("start a function in place of the image's entrypoint, and what cannot start only once", () => {
    const objects = make({ entrypoint: "python3", argv: ["-c", "x"] });
    expect(podOf(objects).containers[0]).toMatchObject({ command: ["python3"], args: ["-c", "x"] });
    const onExitCodes = { containerName: "main", operator: "In", values: [128] };
    expect(objects.job.spec["podFailurePolicy"]).toEqual({ rules: [{ action: "FailJob", onExitCodes }] });
    expect(podOf(make()).containers[0].command).toBeUndefined();
  });

  it("keep what Kubernetes would replace in arguments", () => {
    expect(podOf(make({ argv: ["$(HOME)", "$$x", "a"] })).containers[0].args).toEqual(["$$(HOME)", "$$$$x", "a"]);
  });

  it("have a pull secret where one is given", () => {
    const objects = make({}, '{"auths":{}}');
    expect(podOf(objects).imagePullSecrets).toEqual([{ name: "report-1-pull" }]);
    const secret = { type: "kubernetes.io/dockerconfigjson", metadata: { name: "report-1-pull" } };
    expect(objects.secrets).toMatchObject([secret]);
    expect(objects.job.spec.suspend).toBe(true);
  });

  it("are refused for what no secret can hold", () => {
    expect(() => make({ env: { "A B": "" } })).toThrow(userErrorWith("variable-invalid", "A B"));
    const most = maximumInput - "[1]".length;
    expect(make({ env: { A: "x".repeat(most) }, isFunction: true, stdin: "[1]" }).secrets).toHaveLength(1);
    const tooLarge = () => make({ env: { A: "x".repeat(most + 1) }, isFunction: true, stdin: "[1]" });
    expect(tooLarge).toThrow(userErrorWith("value-invalid", "shell"));
  });
});
