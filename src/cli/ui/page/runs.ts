/// <reference lib="dom" />
import { type ComponentChild, Fragment, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { JobLine, RunLine } from "../messages.ts";
import { useLive } from "./api.ts";
import { type Column, CountBar, durationText, Problem, State, shortImage, Table, timeText } from "./parts.ts";

const runColumns = (now: number): readonly Column<RunLine>[] => [
  { title: "Program", cell: ({ id, program }) => h("a", { href: `#/runs/${id}` }, program) },
  {
    title: "State",
    kind: "tight",
    cell: ({ state, status }) => h(State, { state, words: state === "failed" ? `failed (${status})` : state }),
  },
  { title: "Calls", cell: ({ counts }) => h(CountBar, { counts }) },
  { title: "Started", kind: "tight", cell: ({ started }) => timeText(started) },
  { title: "Duration", kind: "number", cell: ({ started, ended = now }) => durationText(ended - started) },
  { title: "Engine", kind: "tight", cell: ({ engine }) => engine },
  { title: "Image", cell: ({ images }) => h("span", { class: "code" }, images.map(shortImage).join(" ")) },
  { title: "Commit", kind: "code", cell: ({ commit = "" }) => commit.slice(0, 10) },
];

const jobColumns = (now: number): readonly Column<JobLine>[] => [
  { title: "Job", cell: ({ id, name }) => h("a", { href: `#/jobs/${encodeURIComponent(id)}` }, name) },
  { title: "State", kind: "tight", cell: ({ state }) => h(State, { state }) },
  {
    title: "Items",
    cell: ({ items }) => (items ? `${items.succeeded + items.failed} of ${items.total}, ${items.failed} failed` : ""),
  },
  { title: "Submitted", kind: "tight", cell: ({ submitted }) => timeText(Date.parse(submitted)) },
  {
    title: "Duration",
    kind: "number",
    cell: ({ started, ended }) =>
      started === undefined ? "" : durationText((ended === undefined ? now : Date.parse(ended)) - Date.parse(started)),
  },
  { title: "Engine", kind: "tight", cell: ({ engine }) => engine },
  { title: "Image", cell: ({ image }) => h("span", { class: "code" }, image === undefined ? "" : shortImage(image)) },
  { title: "Commit", kind: "code", cell: ({ commit = "" }) => commit.slice(0, 10) },
  { title: "ID", cell: ({ id }) => h("span", { class: "code" }, id) },
];

/** The time, again every second while something runs. */
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
    runs === undefined
      ? h("p", { class: "dim" }, problem ? "" : "Reading…")
      : runs.length === 0
        ? h("p", { class: "dim" }, "No program of yours has called a function yet.")
        : h(Table<RunLine>, {
            label: "Programs with functions",
            columns: runColumns(now),
            rows: runs,
            keyOf: ({ id }) => id,
          }),
    h("h2", {}, "Jobs"),
    h(Problem, { text: jobProblem === problem ? "" : jobProblem }),
    notice ? h("p", { class: "dim", role: "status" }, notice) : null,
    jobs === undefined
      ? h("p", { class: "dim" }, jobProblem ? "" : "Reading…")
      : jobs.length === 0
        ? h("p", { class: "dim" }, "There are no jobs.")
        : h(Table<JobLine>, { label: "Jobs", columns: jobColumns(now), rows: jobs, keyOf: ({ id }) => id }),
  ]);
}
