import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Condition, ContainerState, Event, Job, Pod } from "../../kubernetes/objects.ts";
import { Quiet } from "../../kubernetes/quiet.ts";
import { containerStatus } from "../../kubernetes/testdata/container-status.ts";
import { waitOf } from "./waiting.ts";

const image = `r.example/i@sha256:${"1".repeat(64)}`;

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const since = (second: number) => Date.parse(at(second));

function metadata(name: string, second: number) {
  return { name, uid: name, resourceVersion: "1", creationTimestamp: at(second) };
}

function job(more: Partial<Job["spec"]> = {}): Job {
  const spec = { backoffLimit: 2, template: { spec: { containers: [] } }, ...more };
  return { metadata: metadata("a", 0), spec, status: { startTime: at(1) } };
}

interface PodWords {
  readonly node?: string;
  readonly state?: ContainerState;
  readonly phase?: "Pending" | "Running" | "Failed";
  readonly conditions?: readonly Condition[];
  readonly ready?: boolean;
}

function pod({ node = "n1", state = {}, phase = "Pending", conditions = [], ready = false }: PodWords): Pod {
  return {
    metadata: metadata("a-x", 2),
    spec: { containers: [{ name: "main", image }], ...(node === "" ? {} : { nodeName: node }) },
    status: { phase, conditions, containerStatuses: [containerStatus(state, { ready })] },
  };
}

function event(reason: string, second: number, message = ""): Event {
  return { metadata: metadata(reason, second), involvedObject: {}, reason, message };
}

const creating = { waiting: { reason: "ContainerCreating" } };
const scheduled: Condition = { type: "PodScheduled", status: "True", lastTransitionTime: at(3) };

describe("what a job waits for", () => {
  it("is a pod, its node, its image, what keeps it, each since it is so", () => {
    const words = (found: Pod, ...events: Event[]) => waitOf({ job: job(), pods: [found] }, events);
    const unschedulable: Condition = { type: "PodScheduled", status: "False", message: "0/1 nodes are available." };
    expect(words(pod({ node: "", conditions: [unschedulable] }))).toEqual({
      words: "Waiting for a node for pod a-x: 0/1 nodes are available",
      since: since(2),
    });
    const taken = pod({ state: creating, conditions: [scheduled] });
    const prepares = { words: "Waiting for pod a-x: node n1 prepares it", since: since(3) };
    expect(words(taken)).toEqual(prepares);
    expect(words(taken, event("Scheduled", 3))).toEqual(prepares);
    const pulling = event("Pulling", 5, `Pulling image "${image}"`);
    expect(words(taken, event("Scheduled", 3), pulling)).toEqual({
      words: `Waiting for pod a-x: pulling ${image}`,
      since: since(5),
    });
    expect(words(taken, event("FailedMount", 4, 'secret "x" not found.'))?.words).toBe(
      'Waiting for pod a-x: secret "x" not found',
    );
    expect(words(pod({ state: { waiting: { reason: "ImagePullBackOff" } }, conditions: [scheduled] }))?.words).toBe(
      `Waiting for pod a-x: node n1 fails to start ${image} and tries again`,
    );
  });

  it("is the cluster or its quota while there is no pod", () => {
    const none = { job: job(), pods: [] };
    expect(waitOf(none, [])).toEqual({ words: "Waiting for the cluster to make a pod", since: since(1) });
    const quota = "exceeded quota: q, requested: limits.memory=4Gi";
    const refused = event("FailedCreate", 4, `Error creating: pods "a" is forbidden: ${quota}`);
    const room = `Waiting for room in the namespace's quota: ${quota}`;
    expect(waitOf(none, [refused])).toEqual({ words: room, since: since(4) });
    // The cluster has tried again.
    const before = event("FailedCreate", 2, "Error creating: timeout");
    expect(waitOf(none, [before, refused])).toEqual({ words: room, since: since(2) });
    // Before the next attempt: what was so before the last one is over.
    const failed = pod({ phase: "Failed", state: { terminated: { exitCode: 3, finishedAt: at(9) } } });
    const next = { words: "Attempt 1 of 3 failed with status 3; waiting for the next one", since: since(9) };
    expect(waitOf({ job: job(), pods: [failed] }, [event("FailedCreate", 1, "x")])).toEqual(next);
    expect(waitOf({ job: job(), pods: [failed] }, [refused])?.words).toBe(room);
    // Its pod has not ended yet by the cluster's word.
    const counted = "Waiting for the cluster to count the end of pod a-x";
    const fine = pod({ phase: "Running", state: { terminated: { exitCode: 0 } } });
    expect(waitOf({ job: job(), pods: [fine] }, [])?.words).toBe(counted);
    const last = pod({ phase: "Running", state: { terminated: { exitCode: 3 } } });
    expect(waitOf({ job: job({ backoffLimit: 0 }), pods: [last] }, [])?.words).toBe(counted);
  });

  it("is nothing while a program runs on a node that answers, and once the job has ended", () => {
    const running = { phase: "Running", state: { running: {} } } as const;
    const ready: Condition = { type: "Ready", status: "True" };
    const words = (found: Pod, of = job()) => waitOf({ job: of, pods: [found] }, [])?.words;
    expect(words(pod({ ...running, ready: true, conditions: [ready] }))).toBeUndefined();
    expect(words(pod(running))).toBeUndefined();
    const lost: Condition = { type: "Ready", status: "False", lastTransitionTime: at(7) };
    expect(waitOf({ job: job(), pods: [pod({ ...running, ready: true, conditions: [lost] })] }, [])).toEqual({
      words: "Waiting for node n1 of pod a-x: it does not answer",
      since: since(7),
    });
    const failed = pod({ phase: "Failed", state: { terminated: { exitCode: 3 } } });
    expect(words(failed, job({ backoffLimit: 0 }))).toBeUndefined();
  });

  it("is all its pods where none of many runs", () => {
    const items = job({ completionMode: "Indexed", completions: 2 });
    const node = pod({ node: "" });
    const other = { ...node, metadata: metadata("a-y", 2) };
    expect(waitOf({ job: items, pods: [node, other] }, [])?.words).toBe("Waiting for a node for 2 pods, such as a-x");
    const running = pod({ phase: "Running", state: { running: {} } });
    expect(waitOf({ job: items, pods: [node, running] }, [])).toBeUndefined();
    const ended = pod({ phase: "Failed", state: { terminated: { exitCode: 0, finishedAt: at(9) } } });
    const item = (index: string): Pod => ({
      ...ended,
      metadata: { ...ended.metadata, annotations: { "batch.kubernetes.io/job-completion-index": index } },
    });
    const one = { words: "Waiting for the cluster to make pods for the other items", since: since(9) };
    expect(waitOf({ job: items, pods: [item("0")] }, [])).toEqual(one);
    const all = "Waiting for the cluster to count the items that have ended";
    expect(waitOf({ job: items, pods: [item("0"), item("1")] }, [])?.words).toBe(all);
  });
});

describe("a cluster that does not answer", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("is told until it does", () => {
    const notices: string[] = [];
    const quiet = new Quiet((text) => notices.push(text), "the job goes on");
    const error = new Error("Cluster c does not answer: x.\nCheck it.");
    quiet.onQuiet(error);
    quiet.onQuiet(error);
    vi.advanceTimersByTime(8000);
    const words = "Cluster c does not answer: x. Trying again; the job goes on.";
    expect(notices).toEqual([words, `${words} (4 s)`, `${words} (8 s)`]);
    expect(quiet.isQuiet).toBe(true);
    quiet.answered();
    vi.advanceTimersByTime(60_000);
    expect([notices.length, quiet.isQuiet]).toEqual([3, false]);
    quiet.onQuiet(error);
    expect(notices).toHaveLength(4);
    quiet.answered();
  });
});
