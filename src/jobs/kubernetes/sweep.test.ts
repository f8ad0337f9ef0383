import { describe, expect, it, vi } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import type { Job, Pod } from "../../kubernetes/objects.ts";
import { containerStatus } from "../../kubernetes/testdata/container-status.ts";
import { statusOf } from "./status.ts";
import { byItem, isItemOver, LinePrefix, requireItem, sweepOf, tellItems } from "./sweep.ts";
import { shell } from "./testdata/program.ts";

const metadata = { name: "a", uid: "a", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };

function sweep(status: object, completions = 6): Job {
  const annotations = { "slipway/matrix": JSON.stringify({ SEED: ["1", "2", "3"], LR: ["0.1", "0.2"] }) };
  const spec = {
    suspend: false,
    completionMode: "Indexed" as const,
    completions,
    template: { spec: { containers: [] } },
  };
  return { metadata: { ...metadata, annotations }, spec, status };
}

function pod(index: number, phase: "Running" | "Failed" | "Succeeded", exitCode?: number, attempt = 0): Pod {
  const state = exitCode === undefined ? { running: {} } : { terminated: { exitCode } };
  return {
    metadata: {
      ...metadata,
      name: `a-${index}-${attempt}`,
      annotations: { "batch.kubernetes.io/job-completion-index": String(index) },
    },
    spec: { containers: [] },
    status: { phase, containerStatuses: [containerStatus(state)] },
  };
}

const failed = { type: "Failed", status: "True" as const, reason: "FailedIndexes", message: "Job has failed indexes" };

describe("a job with a matrix", () => {
  it.each(["{", "null", "[]", '{"A":null}', '{"A":[{}]}', '{"A":"1"}', "[".repeat(100_000)])(
    "hides no other one with a matrix %# that somebody else wrote",
    (matrix) => {
      const job = sweep({ failed: 1, failedIndexes: "0,4-9999999999" });
      const changed = { ...job, metadata: { ...metadata, annotations: { "slipway/matrix": matrix } } };
      const { items } = statusOf("a", { job: changed, pods: [pod(0, "Failed", 1)] });
      expect(items?.failed).toBe(10_001);
      expect(items?.failures[0]).toEqual({ index: 0, values: {}, exitStatus: 1 });
    },
  );

  it("is one indexed job, in which items are retried alone and lost pods are made again", () => {
    const program = shell("i", "x", { matrix: { A: ["1", "2", "3"] }, retries: 2, parallelism: 2 });
    expect(sweepOf(program)).toEqual({
      fields: { completionMode: "Indexed", completions: 3, parallelism: 2, backoffLimitPerIndex: 2, backoffLimit: 9 },
      annotations: { "slipway/matrix": '{"A":["1","2","3"]}' },
    });
    const many = { A: Array.from({ length: 200 }, (_, index) => String(index)) };
    expect(sweepOf(shell("i", "x", { matrix: many }))?.fields.parallelism).toBe(50);
    expect(sweepOf(shell("i", "x"))).toBeUndefined();
  });

  it("runs on while items fail, and counts them", () => {
    const job = sweep({ active: 2, succeeded: 1, failed: 2, completedIndexes: "0", failedIndexes: "4" });
    const pods = [pod(4, "Failed", 3), pod(4, "Failed", 2, 1), pod(1, "Running"), pod(0, "Succeeded", 0)];
    expect(statusOf("a", { job, pods })).toMatchObject({
      state: "running",
      items: {
        ...{ total: 6, succeeded: 1, failed: 1, running: 1 },
        failures: [{ index: 4, values: { LR: "0.2", SEED: "2" }, exitStatus: 2 }],
      },
    });
    expect([0, 1, 4].map((item) => isItemOver(job, item))).toEqual([true, false, true]);
  });

  it("has failed once all items ended of which one failed, and names them", () => {
    const status = { succeeded: 3, failed: 3, completedIndexes: "0,4-5", failedIndexes: "1-3", conditions: [failed] };
    const found = statusOf("a", { job: sweep(status), pods: [pod(5, "Succeeded", 0)] });
    expect(found).toMatchObject({ state: "failed", items: { succeeded: 3, failed: 3, running: 0 } });
    expect(found.items?.failures.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(found).not.toHaveProperty("reason");
    expect(found).not.toHaveProperty("exitStatus");
  });

  it("shows pods by their items, and knows which there are", () => {
    const pods = [pod(4, "Running"), pod(1, "Failed", 1), pod(1, "Running", undefined, 1)];
    const names = (found: readonly Pod[]) => found.map(({ metadata: { name } }) => name);
    expect(names(byItem(pods))).toEqual(["a-1-0", "a-1-1", "a-4-0"]);
    expect(names(byItem(pods, 4))).toEqual(["a-4-0"]);
    requireItem("a", sweep({}), 5);
    expect(() => requireItem("a", sweep({}), 6)).toThrow(userErrorWith("command-line-invalid", "--item"));
    const plain = { ...sweep({}), spec: { template: { spec: { containers: [] } } } };
    expect(() => requireItem("a", plain, 0)).toThrow(userErrorWith("command-line-invalid", "--item"));
    requireItem("a", plain, undefined);
  });

  it("tells while it is waited for when counts change, and now and then", () => {
    vi.useFakeTimers();
    try {
      const notices: string[] = [];
      let observed = { job: sweep({ succeeded: 1 }), pods: [pod(1, "Running")] };
      const end = tellItems(
        (text) => notices.push(text),
        () => observed,
      );
      vi.advanceTimersByTime(10_000);
      expect(notices).toEqual(["1 of 6 items succeeded, 1 running"]);
      vi.advanceTimersByTime(30_000);
      expect(notices).toHaveLength(4);
      observed = { job: sweep({ succeeded: 2, failedIndexes: "3" }), pods: [pod(1, "Succeeded", 0)] };
      vi.advanceTimersByTime(5000);
      expect(notices.slice(4)).toEqual(["2 of 6 items succeeded, 1 failed"]);
      end();
      vi.advanceTimersByTime(60_000);
      expect(notices).toHaveLength(5);
    } finally {
      vi.useRealTimers();
    }
  });

  it("has the item's number before each line, however the lines come", () => {
    const prefix = new LinePrefix("[3] ");
    const pieces = ["a\nb", "c\n", "", "ü", "\n\nlast"].map((text) => prefix.write(Buffer.from(text)).toString());
    expect(pieces.join("") + prefix.end().toString()).toBe("[3] a\n[3] bc\n[3] ü\n[3] \n[3] last\n");
    expect(prefix.end().toString()).toBe("\n");
  });
});
