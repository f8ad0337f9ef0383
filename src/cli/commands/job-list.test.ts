import { expect, it } from "vitest";
import type { ListedJob } from "../../jobs/engine.ts";
import { jobLines } from "./job-list.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + 1000 * seconds).toISOString();
const job = { name: "train", engine: "process", user: "ada", attempts: 1, submitted: at(0) } as const;

it("lists jobs in columns: how long they run, or ran", () => {
  const jobs: readonly ListedJob[] = [
    { ...job, id: "train-0", state: "succeeded", started: at(0), ended: at(3720) },
    { ...job, id: "train-1", state: "running", started: at(0) },
    { ...job, id: "k8s:a-2", name: "a", engine: "kubernetes", user: "bob", state: "queued" },
  ];
  expect(jobLines(jobs, true, Date.parse(at(63)))).toBe(
    `${[
      "ID       NAME   ENGINE      STATUS     STARTED               DURATION  USER",
      "train-0  train  process     succeeded  2026-01-01T00:00:00Z  1h02m     ada",
      "train-1  train  process     running    2026-01-01T00:00:00Z  1m03s     ada",
      "k8s:a-2  a      kubernetes  queued     -                     -         bob",
    ].join("\n")}\n`,
  );
  expect(jobLines(jobs.slice(0, 1), false, 0, false)).toBe(
    "train-0  train  process  succeeded  2026-01-01T00:00:00Z  1h02m\n",
  );
  expect(jobLines([], false, 0)).toBe("");
});

it("lists how many items of a job have ended", () => {
  const items = { total: 12, succeeded: 4, failed: 1, running: 2, failures: [] };
  const jobs: readonly ListedJob[] = [{ ...job, id: "k8s:a-2", state: "running", items }];
  expect(jobLines(jobs, false, 0, false)).toMatch(/ running 5\/12 /);
});
