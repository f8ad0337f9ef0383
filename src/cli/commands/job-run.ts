import process from "node:process";
import { untilInterrupted } from "../../core/until-interrupted.ts";
import type { JobEngine, ShownLog } from "../../jobs/engine.ts";
import { describeJob, exitStatusOfJob, followJob, goesOn } from "../../jobs/follow-job.ts";
import { JobFile } from "../../jobs/job-file.ts";
import { diffJob, formatChange, resolveJob } from "../../jobs/resolve-job.ts";
import { startJob } from "../../jobs/run-job.ts";
import { command } from "../command.ts";
import { flag, json, required, text } from "./options.ts";
import { notice, printJson, write } from "./output.ts";

/** For documents that other programs write. Only Bazel's rule sets `target`. */
const place = {
  folder: text("Folder for relative paths in the job and for its lock. Default: the file's folder"),
  target: { type: "string", hidden: true },
} as const;

const engine = (describe: string) => ({ choices: ["process", "container", "kubernetes"], describe }) as const;

/** Environments from files need a base image in containers and clusters, so the lock depends on the engine. */
const futureEngine = (otherwise: string) =>
  engine(
    `Engine that will run the job; environments from files need a base image except on process. Default: ${otherwise}`,
  );

const runOptions = {
  ...place,
  file: required("Job file, or its lock"),
  detach: flag("Print the job's ID and leave it running"),
  once: flag("Run a job with a schedule now, and leave its schedule as it is"),
  engine: engine(
    "Engine that runs the job. Default: kubernetes if SLIPWAY_ENGINE=kubernetes, else by the job's interpreter",
  ),
  "copy-credentials": {
    type: "boolean",
    describe:
      "Copy your credential for the image's registry into a Secret in the cluster. Default: SLIPWAY_COPY_CREDENTIALS",
  },
} as const;

export const run = command(runOptions, async (options) => {
  const job = await startJob(new JobFile(options), { ...options, tell: notice });
  if ("schedule" in job) process.stdout.write(`${job.schedule}\n`);
  else if (options.detach) process.stdout.write(`${job.id}\n`);
  else await follow(job.engine, job.id, job.isFunction);
});

/** Prints a job's output until it ends, then exits with its status. An interrupt leaves the job running. */
export async function follow(engine: JobEngine, id: string, isFunction: boolean, shown: ShownLog = {}): Promise<void> {
  notice(`job ${id}`);
  // Standard output is for the function's result.
  const print = (stream: "stdout" | "stderr", data: Buffer) =>
    write(stream === "stdout" && !isFunction ? process.stdout : process.stderr, data);
  await untilInterrupted(async (signal) => {
    const { status, reply } = await followJob(engine, id, { ...shown, signal, print });
    if (reply && "error" in reply) process.stderr.write(`${reply.error.details.trimEnd()}\n`);
    else if (reply) await write(process.stdout, `${JSON.stringify(reply.result ?? null)}\n`);
    if (status.state !== "succeeded" || status.items) notice(describeJob(status));
    process.exitCode = exitStatusOfJob(status);
  }, goesOn(id));
}

const resolveOptions = {
  ...place,
  file: required("Job file, YAML or JSON"),
  engine: futureEngine("as for `job run`"),
};

export const resolve = command(resolveOptions, async (options) => {
  const file = new JobFile(options);
  const { changes } = await resolveJob(file, options.engine);
  for (const change of changes) process.stderr.write(`${formatChange(change)}\n`);
  process.stdout.write(`${file.lockName}\n`);
});

const diffOptions = {
  ...place,
  file: required("Job file, YAML or JSON, with NAME.lock.json beside it"),
  engine: futureEngine("as when it was locked"),
  json,
  "exit-code": flag("Exit with status 1 if something has changed"),
};

export const diff = command(diffOptions, async (options) => {
  const file = new JobFile(options);
  const changes = await diffJob(file, options.engine);
  if (options.json) printJson(changes);
  else for (const change of changes) process.stdout.write(`${formatChange(change)}\n`);
  if (changes.length === 0) process.stderr.write(`Nothing moved since ${file.lockName} was made.\n`);
  else if (options.exitCode) process.exitCode = 1;
});
