import type { RunnableImage } from "../../../oci/runnable-image.ts";
import type { JobEngine, JobOutcome, LogChunk } from "../../engine.ts";
import type { Program } from "../../program.ts";

/** A script for an image of `pushShell`. */
export function shell(image: string, script: string, more: Partial<Program> = {}): Program {
  return {
    name: "shell",
    image: image as RunnableImage,
    argv: [script],
    env: {},
    mounts: [],
    stdin: "[]",
    isFunction: false,
    resources: {},
    network: "none",
    retries: 0,
    ...more,
  };
}

export async function textOf(log: AsyncIterable<LogChunk>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const { data } of log) pieces.push(data);
  return Buffer.concat(pieces).toString();
}

/** Runs a job to its end. */
export async function run(engine: JobEngine, what: Program): Promise<JobOutcome & { id: string; text: string }> {
  const id = await engine.submit(what);
  const text = await textOf(engine.logs(id, { follow: true }));
  return { id, text, ...(await engine.collect(id)) };
}
