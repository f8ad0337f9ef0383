/// <reference lib="dom" />
import { type ComponentChild, Fragment, h } from "preact";
import { useRef, useState } from "preact/hooks";
import type { JobLine, LiveMessages } from "../messages.ts";
import { useLive } from "./api.ts";
import { Log } from "./log.ts";
import { durationText, Facts, ImageLink, Problem, State, timeText } from "./parts.ts";
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
  const end = job?.ended === undefined ? now : Date.parse(job.ended);
  return h(Fragment, {}, [
    h(Problem, { text: problem }),
    job
      ? h(Facts, {
          facts: [
            ["State", h(State, { state: job.state })],
            ["Reason", job.reason],
            ["Exit status", job.exitStatus],
            ["Attempts", job.attempts > 1 && job.attempts],
            ["Image", job.image && h(ImageLink, { image: job.image })],
            ["Commit", job.commit && h("code", {}, job.commit)],
            ["Submitted", timeText(Date.parse(job.submitted))],
            ["Duration", job.started && durationText(end - Date.parse(job.started))],
            ["Items", job.items && itemsText(job.items)],
          ],
        })
      : null,
    h("h2", {}, "Output"),
    h(Log, { text: log.current, label: "Output of the job" }),
  ]);
}

function itemsText({ total, succeeded, failed, running }: NonNullable<JobLine["items"]>): string {
  return `${succeeded} of ${total} succeeded, ${failed} failed, ${running} running`;
}
