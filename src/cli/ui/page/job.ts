/// <reference lib="dom" />
import { type ComponentChild, Fragment, h } from "preact";
import { useRef, useState } from "preact/hooks";
import type { LiveMessages } from "../messages.ts";
import { useLive } from "./api.ts";
import { Log } from "./log.ts";
import { durationText, Facts, Problem, State, timeText } from "./parts.ts";
import { useNow } from "./runs.ts";

export function JobView({ id }: { readonly id: string }): ComponentChild {
  const [job, setJob] = useState<LiveMessages["job"]["job"]>();
  const [, redraw] = useState(0);
  const log = useRef("");
  const problem = useLive("job", id, {
    onStart: () => {
      log.current = "";
    },
    onMessage: (message) => {
      if (message.job) setJob(message.job);
      log.current = (log.current + (message.log ?? "")).slice(-1_000_000);
      redraw((count) => count + 1);
    },
  });
  const now = useNow(job?.state === "running");
  const {
    state = "",
    reason,
    exitStatus,
    attempts = 0,
    submitted = "",
    started,
    ended,
    items,
    image,
    commit,
  } = job ?? {};
  const end = ended === undefined ? now : Date.parse(ended);
  return h(Fragment, {}, [
    h(Problem, { text: problem }),
    job
      ? h(Facts, {
          facts: [
            ["State", h(State, { state })],
            ...(reason === undefined ? [] : [["Reason", reason] as const]),
            ...(exitStatus === undefined ? [] : [["Exit status", exitStatus] as const]),
            ...(attempts > 1 ? [["Attempts", attempts] as const] : []),
            ...(image === undefined
              ? []
              : [["Image", h("a", { class: "code", href: `#/images/${encodeURIComponent(image)}` }, image)] as const]),
            ...(commit === undefined ? [] : [["Commit", h("code", {}, commit)] as const]),
            ["Submitted", timeText(Date.parse(submitted))],
            ...(started === undefined ? [] : [["Duration", durationText(end - Date.parse(started))] as const]),
            ...(items
              ? [
                  [
                    "Items",
                    `${items.succeeded} of ${items.total} succeeded, ${items.failed} failed, ${items.running} running`,
                  ] as const,
                ]
              : []),
          ],
        })
      : null,
    h("h2", {}, "Output"),
    h(Log, { text: log.current, label: "Output of the job" }),
  ]);
}
