/// <reference lib="dom" />
import { type ComponentChild, Fragment, h } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type RecordedRun, type RunBatch, RunFold, type RunItem } from "../../../runs/fold.ts";
import type { Counts } from "../messages.ts";
import { useLive } from "./api.ts";
import { layOut, nodeSize } from "./graph.ts";
import { Items } from "./items.ts";
import { Log } from "./log.ts";
import {
  CountBar,
  countWords,
  durationText,
  Facts,
  ImageLink,
  Problem,
  reading,
  State,
  Table,
  timeText,
} from "./parts.ts";
import { useNow } from "./runs.ts";
import { type Call, Timeline, type Times } from "./timeline.ts";

/** Milliseconds between changes of tables. The timeline changes in each frame. */
const pause = 250;
const mostSteps = 200;
const states = ["waiting", "running", "done", "failed", "kept"] as const;

interface StepLine {
  readonly batch: RunBatch;
  readonly counts: Counts;
  readonly milliseconds: number;
}

export function RunView({ id }: { readonly id: string }): ComponentChild {
  const live = useRef({ fold: new RunFold(), isAlive: true, version: 0 });
  const [run, setRun] = useState<RecordedRun>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const problem = useLive("run", id, {
    onStart: () => {
      live.current = { fold: new RunFold(), isAlive: true, version: live.current.version + 1 };
    },
    onMessage: ({ events, isAlive }) => {
      const { current } = live;
      for (const event of events) current.fold.add(event);
      current.isAlive = isAlive;
      current.version++;
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        setRun(live.current.fold.run(id, () => live.current.isAlive));
      }, pause);
    },
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  const [step, setStep] = useState("");
  const [state, setState] = useState<RunItem["state"] | "">("");
  const now = useNow(run?.state === "running");
  const batches = run?.batches.filter((batch) => step === "" || batch.id === step) ?? [];
  const calls = batches.flatMap((batch): Call[] => batch.calls.map((item) => ({ batch, item })));
  const times = useRef<Times>({ calls: [], from: 0, to: undefined, version: 0 });
  times.current = { calls, from: run?.started ?? 0, to: run?.ended, version: 0 };
  // The fold changes the same items, so each frame shows their newest state.
  const drawn = useMemo(() => () => ({ ...times.current, version: live.current.version }), []);
  if (!run) return problem ? h(Problem, { text: problem }) : reading;
  const steps = run.batches.slice(0, mostSteps).map(stepLine);
  const shownCalls = state === "" ? calls : calls.filter(({ item }) => item.state === state);
  const output = run.output.filter(({ batch }) => step === "" || batch === step);
  const left = run.batches.length - steps.length;
  return h(Fragment, {}, [
    h(Problem, { text: problem }),
    h(Facts, {
      facts: [
        ["Program", run.program],
        ["State", h(State, { state: run.state, words: run.state === "failed" ? `failed (${run.status})` : run.state })],
        ["Started", timeText(run.started)],
        ["Duration", durationText((run.ended ?? now) - run.started)],
        ["Engine", run.engine],
        ["Arguments", run.arguments],
        [
          "Image",
          run.images.length > 0 && run.images.map((image) => h("div", { key: image }, h(ImageLink, { image }))),
        ],
        ["Commit", run.commit && h("code", {}, run.commit)],
      ],
    }),
    run.isCut ? h("p", { class: "dim" }, "The run was too long to be recorded whole.") : null,
    h("h2", {}, "Steps"),
    left > 0 ? h("p", { class: "dim" }, `The first ${steps.length}; ${left} more are among the calls below.`) : null,
    steps.some(({ batch }) => batch.after.length > 0) ? h(GraphView, { steps }) : null,
    h(Table<StepLine>, {
      none: "The program has called no function yet.",
      label: "Steps",
      rows: steps,
      keyOf: ({ batch }) => batch.id,
      columns: [
        [
          "Step",
          ({ batch }) =>
            h(
              "button",
              { "aria-pressed": batch.id === step, onClick: () => setStep(batch.id === step ? "" : batch.id) },
              batch.id,
            ),
        ],
        ["After", ({ batch }) => batch.after.join(", ")],
        ["Calls", ({ counts }) => h(CountBar, { counts })],
        ["Started", ({ batch }) => `+${durationText(batch.started - run.started)}`, "number"],
        ["Duration", ({ milliseconds }) => durationText(milliseconds), "number"],
      ],
    }),
    h("h2", {}, step === "" ? "Timeline" : `Timeline of ${step}`),
    h(
      "div",
      { class: "legend" },
      states.map((each) => h(State, { key: each, state: each })),
    ),
    h(Timeline, { times: drawn, count: calls.length }),
    h("h2", {}, step === "" ? "Calls" : `Calls of ${step}`),
    h("div", { class: "legend" }, [
      h("label", {}, [
        "State ",
        h(
          "select",
          {
            value: state,
            onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
              setState(states.find((each) => each === currentTarget.value) ?? ""),
          },
          [h("option", { value: "" }, "all"), states.map((each) => h("option", { key: each, value: each }, each))],
        ),
      ]),
      h("span", {}, `${shownCalls.length} of ${calls.length}`),
    ]),
    h(Items, { calls: shownCalls, now }),
    h("h2", {}, step === "" ? "Output" : `Output of ${step}`),
    h(Log, { text: output.map(({ text }) => text).join(""), label: "Output of the functions" }),
  ]);
}

function stepLine(batch: RunBatch): StepLine {
  const counts = { waiting: 0, running: 0, done: 0, failed: 0, kept: 0 };
  let end = batch.started;
  for (const { state, ended } of batch.calls) {
    counts[state]++;
    if (ended !== undefined && ended > end) end = ended;
  }
  return { batch, counts, milliseconds: end - batch.started };
}

/** The most telling state of a step. */
function stateOf({ failed, running, waiting, done, kept }: Counts): string {
  if (failed > 0) return "failed";
  if (running > 0 || (waiting > 0 && done + kept > 0)) return "running";
  if (waiting > 0) return "waiting";
  return done > 0 ? "done" : "kept";
}

function GraphView({ steps }: { readonly steps: readonly StepLine[] }): ComponentChild {
  const { nodes, edges, width, height } = layOut(steps.map(({ batch }) => batch));
  const { width: wide, height: high } = nodeSize;
  const cut = (text: string) => (text.length > 24 ? `${text.slice(0, 23)}…` : text);
  return h("div", { class: "scroll graph", tabIndex: 0, role: "region", "aria-label": "Graph of the steps" }, [
    h(
      "svg",
      { width, height, role: "img", "aria-label": "Graph of the steps. The table of steps has the same content." },
      [
        edges.map(({ from, to, dip }) => {
          const [x, y, endX, endY] = [from.x + wide, from.y + high / 2, to.x, to.y + high / 2];
          const bend = dip > 0 ? 80 : 28;
          const low = Math.max(y, endY) + dip;
          const curve =
            dip > 0 ? `C${x + bend} ${low} ${endX - bend} ${low}` : `C${x + bend} ${y} ${endX - bend} ${endY}`;
          const d = `M${x} ${y}${curve} ${endX - 5} ${endY}m-5 -4l5 4l-5 4`;
          return h("path", { key: `${from.batch.id} ${to.batch.id}`, d });
        }),
        nodes.map(({ batch, x, y }, index) => {
          const { counts } = steps[index] as StepLine;
          return h("g", { key: batch.id }, [
            h("rect", { x, y, width: wide, height: high, rx: 4, "data-state": stateOf(counts) }),
            h("text", { x: x + 10, y: y + 18 }, cut(batch.id)),
            h("text", { class: "dim", x: x + 10, y: y + 34 }, cut(countWords(counts))),
          ]);
        }),
      ],
    ),
  ]);
}
