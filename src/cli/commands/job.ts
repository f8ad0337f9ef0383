import { command, group } from "../command.ts";
import { required } from "./options.ts";
import { printJson } from "./output.ts";

export const job = group("job", {
  schema: [
    "Print the JSON Schema of jobs, for editors",
    async () => ({
      schema: command({}, async () => printJson((await import("../../jobs/schema.ts")).jobJsonSchema())),
    }),
  ],
  "resolve <file>": [
    "Write exact versions of tags, branches and files to NAME.lock.json",
    () => import("./job-run.ts"),
  ],
  "diff <file>": ["Show what has changed since a job was resolved", () => import("./job-run.ts")],
  "run <file>": ["Run a job as locked, or at its current versions if it has no lock", () => import("./job-run.ts")],
  ls: ["List the jobs on this machine and yours in the cluster", () => import("./job-list.ts")],
  "status <id>": ["Show the state of a job", () => import("./job-control.ts"), "show"],
  "logs <id>": ["Show the output of a job", () => import("./job-control.ts")],
  "cancel <id>": ["Cancel a job and stop all its processes", () => import("./job-control.ts")],
  "rm <ids..>": ["Remove jobs that have ended, with their output and results", () => import("./job-control.ts")],
  prune: ["Remove jobs that ended some time ago and print their IDs", () => import("./job-control.ts")],
  schedule: ["List, pause, resume and remove schedules of jobs in the cluster", async () => ({ schedule })],
  "supervise <id>": [
    false,
    async () => {
      const { superviseById } = await import("../../jobs/supervise.ts");
      return { supervise: command({ id: required("Job ID") }, ({ id }) => superviseById(id)) };
    },
  ],
  // For libraries, where a program has no engine helper.
  answer: [false, async () => ({ answer: command({}, (await import("../../jobs/answer-job.ts")).answerJob) })],
});

const schedule = group("job schedule", {
  ls: ["List your schedules in the cluster's namespace", () => import("./job-schedule.ts")],
  "pause <name>": ["Pause a schedule. Jobs that run go on", () => import("./job-schedule.ts")],
  "resume <name>": ["Let a paused schedule go on", () => import("./job-schedule.ts")],
  "rm <name>": ["Remove a schedule with the jobs that it made", () => import("./job-schedule.ts")],
});
