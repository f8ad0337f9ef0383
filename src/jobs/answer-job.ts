import process from "node:process";
import { text } from "node:stream/consumers";
import type { EngineKind } from "../config/engine-kind.ts";
import { exitStatusOf } from "../core/errors.ts";
import { escapeText, indentedLines } from "../core/printable.ts";
import { untilInterrupted } from "../core/until-interrupted.ts";
import { errorAnswer } from "../core/wire-error.ts";
import { describeJob, exitStatusOfJob, followJob, goesOn } from "./follow-job.ts";
import { JobFile } from "./job-file.ts";
import type { JobAnswer, JobRequest } from "./job-protocol.ts";
import { formatChange, resolveJob } from "./resolve-job.ts";
import { startJob } from "./run-job.ts";

/** Resolves or runs a job for a program in another process. Text for people goes to standard error. */
export async function answerJob(): Promise<void> {
  escapeText(process.stderr);
  try {
    const request = JSON.parse(await text(process.stdin)) as JobRequest;
    const { action, name, folder, engine, document } = request;
    const file = new JobFile({ file: `${name}.json`, folder, text: document });
    if (action === "run") return await runFor(file, engine);
    const { lock, changes } = await resolveJob(file, engine);
    for (const change of changes) process.stderr.write(`${formatChange(change)}\n`);
    answer({ result: lock });
  } catch (error) {
    process.stdout.write(errorAnswer(error));
    process.exitCode = exitStatusOf(error);
  }
}

async function runFor(file: JobFile, engine: EngineKind | undefined): Promise<void> {
  const tell = (line: string) => void process.stderr.write(`slipway: ${indentedLines(line)}\n`);
  const job = await startJob(file, { engine, tell });
  if ("schedule" in job) return answer({ result: `${job.schedule}\n` });
  const { id, isFunction } = job;
  tell(`job ${id}`);
  const printed: Buffer[] = [];
  const print = async (stream: "stdout" | "stderr", data: Buffer) => {
    if (stream === "stdout" && !isFunction) printed.push(data);
    else await new Promise<unknown>((resolve) => process.stderr.write(data, resolve));
  };
  await untilInterrupted(async (signal) => {
    const { status, reply } = await followJob(job.engine, id, { signal, print });
    if (reply && "error" in reply) process.stderr.write(`${reply.error.details.trimEnd()}\n`);
    if (status.state !== "succeeded" || status.items) tell(describeJob(status));
    if (status.state !== "succeeded") {
      answer({ failed: { id, message: describeJob(status), status: exitStatusOfJob(status) } });
    } else if (isFunction) answer({ result: reply && "result" in reply ? (reply.result ?? null) : null });
    else answer({ result: Buffer.concat(printed).toString() });
  }, goesOn(id));
}

function answer(given: JobAnswer): void {
  process.stdout.write(JSON.stringify(given));
}
