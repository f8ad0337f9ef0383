/// <reference lib="dom" />
import { type ComponentChild, Fragment, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { JobLine, RunLine } from "../messages.ts";
import { useLive } from "./api.ts";
import { type Column, CountBar, durationText, Problem, State, shortImage, Table, timeText } from "./parts.ts";

const runColumns = (now: number): readonly Column<RunLine>[] => [
  ["Program", ({ id, program }) => h("a", { href: `#/runs/${id}` }, program)],
  [
    "State",
    ({ state, status }) => h(State, { state, words: state === "failed" ? `failed (${status})` : state }),
    "tight",
  ],
  ["Calls", ({ counts }) => h(CountBar, { counts })],
  ["Started", ({ started }) => timeText(started), "tight"],
  ["Duration", ({ started, ended = now }) => durationText(ended - started), "number"],
  ["Engine", ({ engine }) => engine, "tight"],
  ["Image", ({ images }) => h("span", { class: "code" }, images.map(shortImage).join(" "))],
  ["Commit", ({ commit = "" }) => commit.slice(0, 10), "code"],
];

const jobColumns = (now: number): readonly Column<JobLine>[] => [
  ["Job", ({ id, name }) => h("a", { href: `#/jobs/${encodeURIComponent(id)}` }, name)],
  ["State", ({ state }) => h(State, { state }), "tight"],
  [
    "Items",
    ({ items }) => (items ? `${items.succeeded + items.failed} of ${items.total}, ${items.failed} failed` : ""),
  ],
  ["Submitted", ({ submitted }) => timeText(Date.parse(submitted)), "tight"],
  [
    "Duration",
    ({ started, ended }) =>
      started === undefined ? "" : durationText((ended === undefined ? now : Date.parse(ended)) - Date.parse(started)),
    "number",
  ],
  ["Engine", ({ engine }) => engine, "tight"],
  ["Image", ({ image }) => h("span", { class: "code" }, image === undefined ? "" : shortImage(image))],
  ["Commit", ({ commit = "" }) => commit.slice(0, 10), "code"],
  ["ID", ({ id }) => h("span", { class: "code" }, id)],
];

/** Updates every second while something runs. */
export function useNow(isRunning: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isRunning]);
  return isRunning ? Math.max(now, Date.now()) : now;
}

export function RunsView(): ComponentChild {
  const [runs, setRuns] = useState<readonly RunLine[]>();
  const [{ jobs, notice }, setJobs] = useState<{ jobs?: readonly JobLine[]; notice?: string }>({});
  const problem = useLive("runs", "", { onMessage: (message) => setRuns(message.runs) });
  const jobProblem = useLive("jobs", "", { onMessage: setJobs });
  const now = useNow([...(runs ?? []), ...(jobs ?? [])].some(({ state }) => state === "running"));
  return h(Fragment, {}, [
    h(Problem, { text: problem }),
    h("h2", {}, "Programs with functions"),
    h(Table<RunLine>, {
      label: "Programs with functions",
      columns: runColumns(now),
      rows: runs,
      keyOf: ({ id }) => id,
      none: "No program of yours has called a function yet.",
      problem,
    }),
    h("h2", {}, "Jobs"),
    h(Problem, { text: jobProblem === problem ? "" : jobProblem }),
    notice ? h("p", { class: "dim", role: "status" }, notice) : null,
    h(Table<JobLine>, {
      label: "Jobs",
      columns: jobColumns(now),
      rows: jobs,
      keyOf: ({ id }) => id,
      none: "There are no jobs.",
      problem: jobProblem,
    }),
  ]);
}
