import { describe, expect, it } from "vitest";
import { creationTrouble, goneFailure, podFailure, reconsidered, waitingTrouble } from "./failure.ts";
import type { Event, Job, Pod } from "./objects.ts";
import { containerStatus } from "./testdata/container-status.ts";

const image = `r.example.com/a@sha256:${"0".repeat(64)}`;
const metadata = { name: "p", uid: "u", resourceVersion: "1", creationTimestamp: "2026-03-01T10:00:00Z" };
const refused = `failed to pull and unpack image "${image}": failed to resolve reference`;

function pod(status: Pod["status"], spec: Partial<Pod["spec"]> = {}): Pod {
  const limits = { memory: "64Mi" };
  return {
    metadata,
    spec: { nodeName: "n1", containers: [{ name: "main", image, resources: { limits } }], ...spec },
    status: status ?? {},
  };
}

const waiting = (reason: string, message: string, spec: Partial<Pod["spec"]> = {}) =>
  pod({ containerStatuses: [containerStatus({ waiting: { reason, message } })] }, spec);

describe("what keeps a pod from starting", () => {
  const config = "CreateContainerConfigError";

  it.each([
    ["ErrImagePull", `${refused}: HEAD https://r: 401 Unauthorized`, "image-pull-failed", "with --copy-credentials"],
    [
      "ImagePullBackOff",
      `Back-off pulling image "${image}": ErrImagePull: ${refused}: pull access denied, authorization failed`,
      "image-pull-failed",
      "the nodes have none: pull access denied",
    ],
    ["ErrImagePull", `${refused}: ${image}: not found`, "image-pull-failed", `has no image ${image}`],
    ["ErrImagePull", "no match for platform in manifest: not found", "image-unsuitable", "platform of node n1"],
    [
      "ErrImagePull",
      `${refused}: dial tcp 10.0.0.1:443: connection refused`,
      undefined,
      "reach registry r.example.com",
    ],
    ["ImagePullBackOff", `Back-off pulling image "${image}"`, undefined, "fail to pull"],
    ["InvalidImageName", "", "reference-invalid", image],
    [config, "container has runAsNonRoot and image will run as root (pod: …)", "image-unsuitable", "runs as root"],
    [config, "image has non-numeric user (web), cannot verify user is non-root", "image-unsuitable", "its user web"],
    [config, "failed to sync configmap cache: timed out waiting for the condition", undefined, "A busy node"],
  ] as const)("%s %j", (reason, message, code, words) => {
    const trouble = waitingTrouble(waiting(reason, message));
    expect(trouble).toMatchObject({ words: expect.stringContaining(words), isFinal: code !== undefined });
    expect(trouble?.identity).toEqual(code && { code, culprit: image });
  });

  it("is a command that the image does not have", () => {
    expect(waitingTrouble(waiting("CreateContainerError", "no command specified"))).toEqual({
      words: expect.stringContaining("no command specified. Check its command"),
      isFinal: true,
    });
  });

  it("says that a credential was given and not taken", () => {
    const trouble = waitingTrouble(
      waiting("ErrImagePull", `${refused}: 403 Forbidden`, { imagePullSecrets: [{ name: "x" }] }),
    );
    expect(trouble).toMatchObject({ isFinal: true, blamesSecret: true, identity: { code: "image-pull-failed" } });
  });

  it("does not blame a credential that the node had not seen", () => {
    const of = (startTime: string) => {
      const found = waiting("ErrImagePull", `${refused}: 401 Unauthorized`, { imagePullSecrets: [{ name: "x" }] });
      return { ...found, status: { ...found.status, startTime } } as Pod;
    };
    const unseen = [{ metadata, reason: "FailedToRetrieveImagePullSecret" }] as Event[];
    const said = (seconds: number, events: Event[]) => {
      const one = of(new Date(Date.now() - seconds * 1000).toISOString());
      const trouble = waitingTrouble(one);
      return trouble && reconsidered(trouble, one, events);
    };
    const passing = { words: expect.stringContaining("They try again, with the credential"), isFinal: false };
    expect(said(2, [])).toEqual(passing);
    expect(said(12, unseen)).toEqual(passing);
    expect(said(12, [])).toMatchObject({ isFinal: true, blamesSecret: true });
    expect(said(60, unseen)).toMatchObject({ isFinal: true });
  });

  it("has the scheduler's words", () => {
    const message = "0/3 nodes are available: 3 Insufficient memory.";
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
    expect(waitingTrouble(pod({ conditions: [condition] }))).toEqual({
      words: expect.stringMatching(/^No node takes it: 0\/3 nodes are available: 3 Insufficient memory\./),
      isFinal: false,
    });
  });

  it("names the claims that are waited for", () => {
    const message = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
    const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
    const words = (...claims: string[]) => {
      const volumes = [
        { name: "tmp" },
        ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
      ];
      return waitingTrouble(pod({ conditions: [condition] }, { volumes }))?.words;
    };
    expect(words("data")).toContain("make or bind claim data, or");
    expect(words("data", "models")).toContain("make or bind its claims (data, models), or");
  });

  it("names the nodes that are waited for, and what keeps them away", () => {
    const words = (message: string, nodeSelector: Record<string, string>) => {
      const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message } as const;
      return waitingTrouble(pod({ conditions: [condition] }, { nodeSelector }))?.words;
    };
    const labels = { pool: "gpu", "kubernetes.io/arch": "arm64" };
    const mismatch = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
    expect(words(mismatch, labels)).toBe(
      `No node with pool=gpu, kubernetes.io/arch=arm64 takes it: ${mismatch} It waits for one; correct the labels of its instance type (nodeSelector), or add nodes.`,
    );
    const taint = "0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: gpu}.";
    expect(words(taint, {})).toMatch(/^No node takes it: .*tolerate the taint \(tolerations\)/);
    const away = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.";
    expect(words(away, {})).not.toContain("toleration");
    expect(
      words(
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector.",
        labels,
      ),
    ).toMatch(/^No node with pool=gpu.*request less \(resources\)/);
  });

  it("is nothing while a node makes the container", () => {
    expect(waitingTrouble(waiting("ContainerCreating", ""))).toBeUndefined();
    expect(waitingTrouble(pod({}))).toBeUndefined();
  });
});

describe("why a pod failed", () => {
  const ended = (terminated: object, status: object = {}) =>
    pod({ containerStatuses: [containerStatus({ terminated: { exitCode: 1, ...terminated } })], ...status });
  const disrupted = (reason: string) =>
    ended({}, { conditions: [{ type: "DisruptionTarget", status: "True", reason, message: "m" }] });

  /** A pod whose program ended 7 seconds after ten. Its deletion was to be over at the second. */
  const deleted = (second: number, deletionGracePeriodSeconds: number, ...finalizers: string[]): Pod => {
    const deletionTimestamp = `2026-03-01T10:00:${String(second).padStart(2, "0")}Z`;
    const ends = { deletionTimestamp, deletionGracePeriodSeconds, finalizers };
    const pod = ended({ exitCode: 1, reason: "Error", finishedAt: "2026-03-01T10:00:07Z" });
    return { ...pod, metadata: { ...metadata, ...ends } };
  };

  it.each<[string, Pod, RegExp]>([
    ["memory", ended({ exitCode: 137, reason: "OOMKilled" }), /64Mi bytes of memory\. Give it more/],
    ["time", pod({ reason: "DeadlineExceeded" }, { activeDeadlineSeconds: 7 }), /longer than its time limit of 7 s/],
    [
      "the node's room",
      pod({ reason: "Evicted", message: "It was low on memory." }),
      /^Its node evicted it: It was low/,
    ],
    ["a drain", disrupted("EvictionByEvictionAPI"), /^It was evicted from node n1, as when a node is drained/],
    ["a pod of higher priority", disrupted("PreemptionByScheduler"), /had to give way/],
    ["a taint", disrupted("DeletionByTaintManager"), /lost or closed to it: m/],
    ["a node that is gone", disrupted("DeletionByPodGC"), /node n1 is gone/],
    ["the node", disrupted("TerminationByKubelet"), /stopped by its node n1: m/],
    ["its command", ended({ reason: "StartError", message: "no x" }), /cannot be started: no x\. Check/],
    ["a lost node", ended({ reason: "ContainerStatusUnknown" }), /was lost or shut down/],
    ["a restarted node", ended({ exitCode: 255, reason: "Unknown" }), /was lost or shut down/],
    ["a signal", ended({ exitCode: 137, reason: "Error" }), /^It was killed/],
  ])("%s", (_, of, words) => {
    expect(podFailure(of)).toMatch(words);
  });

  it("is its deletion where that came first", () => {
    expect(podFailure(deleted(11, 5))).toMatch(/^Its pod was deleted while it ran/);
    expect(podFailure(deleted(14, 5))).toBeUndefined();
  });

  it("is its deletion where only its node's own is left to see, and the job controller had not taken note of its end", () => {
    expect(podFailure(deleted(9, 0, "batch.kubernetes.io/job-tracking"))).toMatch(/^Its pod was deleted while it ran/);
    expect(podFailure(deleted(9, 0))).toBeUndefined();
  });

  it("is told by its own status otherwise", () => {
    expect(podFailure(ended({ exitCode: 3, reason: "Error" }))).toBeUndefined();
  });
});

describe("why a pod is gone that nobody saw go", () => {
  const job = { metadata: { ...metadata, name: "train-1" } } as Job;
  const event = (reason: string, message = "", name = "train-1-x7") =>
    ({ metadata, reason, message, involvedObject: { name } }) as Event;

  it.each<[Event[], RegExp]>([
    [[event("TaintManagerEviction")], /^Its node was lost or closed to it\. Submit/],
    [[event("Preempted", "Preempted by pod 7 on node n1")], /higher priority: Preempted by pod 7 on node n1\. Submit/],
    [[event("Killing", "Stopping container main")], /^Its pod was deleted while it ran/],
    [[event("TaintManagerEviction", "", "train-2-x7")], /^Its pod was deleted while it ran/],
    [[], /^Its pod was deleted while it ran/],
  ])("%j", (events, words) => {
    expect(goneFailure(job, events)).toMatch(words);
  });
});

describe("why a job gets no pod", () => {
  const trouble = (message: string) => creationTrouble([{ metadata, reason: "FailedCreate", message } as Event]);
  it.each([
    [
      'Error creating: pods "x" is forbidden: exceeded quota: q, requested: cpu=1, used: cpu=2, limited: cpu=2',
      false,
      "no room for it: exceeded quota: q, requested: cpu=1",
    ],
    [
      'Error creating: pods "x" is forbidden: failed quota: q: must specify limits.cpu for: main',
      true,
      "must specify limits.cpu for: main. Set them",
    ],
    [
      'Error creating: pods "x" is forbidden: error looking up service account ns/default: serviceaccount "default" not found',
      false,
      "no service account yet",
    ],
    [
      'Error creating: pods "x" is forbidden: violates PodSecurity "restricted:latest"',
      true,
      "The cluster refused its pod: Error creating",
    ],
  ])("%s", (message, isFinal, words) => {
    expect(trouble(message)).toMatchObject({ words: expect.stringContaining(words), isFinal });
    expect(trouble(message)?.identity?.code).toBe(isFinal ? "cluster-refused" : undefined);
  });

  it("is nothing where nothing failed", () => {
    expect(creationTrouble([])).toBeUndefined();
  });
});
