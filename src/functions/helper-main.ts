/**
 * The program that uses engines for programs that cannot:
 * - `helper engine` prints the engine that SLIPWAY_ENGINE chooses.
 * - `helper check IMAGE…` checks that it can pull images.
 * - `helper allow IMAGE` checks the rules for images.
 * - `helper pull IMAGE` pulls an image with Slipway's credential.
 * - `helper resources JSON SUBJECT OPTION` looks up an instance type.
 * - `helper calls` runs functions (see helper.ts for its input and output).
 * - `helper job answer` runs a job (see jobs/answer-job.ts), `helper job supervise ID` supervises a local one.
 * - `helper files` moves content between this machine and registries (see file-service.ts).
 * - `helper serve SOCKET PROCESS IMAGE…` runs functions over a socket for the program of that process.
 */

import { mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import type { JobResources } from "../config/resources.ts";
import { describeEngine, detectEngine } from "../containers/choose-engine.ts";
import { pullWithAccess } from "../containers/pull.ts";
import { exitStatusOf, reportOf, UserError } from "../core/errors.ts";
import { writeTo } from "../core/flow.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { cacheFolder } from "../core/user-folders.ts";
import { errorAnswer } from "../core/wire-error.ts";
import { runnableImage } from "../signatures/runnable-image.ts";
import { converse } from "./converse.ts";
import type { HelperAnswer } from "./helper.ts";
import { KeptCalls } from "./keep.ts";
import { openEngine } from "./open-engine.ts";
import { serve } from "./serve.ts";

async function calls(): Promise<void> {
  const caller = {
    questions: process.stdin,
    answer: (answer: HelperAnswer) => void process.stdout.write(`${JSON.stringify(answer)}\n`),
    output: (data: Buffer) => writeTo(process.stderr, data),
  };
  // Without a reader, the calls are ended.
  process.stdout.on("error", () => process.stdin.destroy());
  const kept = new KeptCalls(process.env);
  if (!(await converse(caller, async () => (await openEngine(process.env))(), kept))) process.exitCode = 1;
  await kept.end();
  process.stdin.destroy();
}

async function main([command, ...words]: readonly string[]): Promise<void> {
  if (command === "calls") return calls();
  if (command === "job") {
    const [action, id = ""] = words;
    if (action === "supervise") return (await import("../jobs/supervise.ts")).superviseById(id);
    return (await import("../jobs/answer-job.ts")).answerJob();
  }
  if (command === "files") {
    const { serveFiles } = await import("./file-service.ts");
    return serveFiles(process.stdin, process.stdout, process.env);
  }
  if (command === "serve") {
    const [socket = "", pid, ...images] = words;
    return serve(socket, Number(pid), images);
  }
  if (command === "resources") {
    const [json = "", subject = "", path = ""] = words;
    const { placedResources } = await import("../config/instance-types.ts");
    const resources = await placedResources(JSON.parse(json) as JobResources, process.env, ({ problem, remedy }) => {
      return new UserError({ code: "value-invalid", culprit: path }, `${subject}: ${path} ${problem}.`, remedy);
    });
    process.stdout.write(JSON.stringify(resources));
    return;
  }
  const choice = detectEngine(process.env);
  if (command === "engine") {
    const remark = choice.kind === "process" && choice.remark ? choice.remark : null;
    process.stdout.write(`${JSON.stringify({ ...describeEngine(choice), remark })}\n`);
  } else if (command === "pull") {
    const [image = ""] = words;
    const isPulled = choice.kind === "container" && (await pullWithAccess(choice.client, image, process.env));
    process.stdout.write(JSON.stringify({ isPulled }));
  } else if (command === "allow") {
    const [image = ""] = words;
    process.stdout.write(JSON.stringify({ image: await runnableImage(image) }));
  } else if (command === "check") {
    if (choice.kind === "kubernetes") await (await import("./kubernetes.ts")).checkImages(words, process.env);
  } else {
    throw new UserError(
      { code: "command-line-invalid", culprit: String(command) },
      `The helper has no command ${command}.`,
      "Its commands are engine, allow, check, pull, resources, calls, job, files and serve.",
    );
  }
}

/** Kubernetes' client has 1.7 MB of code. Compiled, it loads in half the time. */
function keepCompiled(): void {
  const folder = join(cacheFolder(), "compiled");
  try {
    // Node would create it readable for all.
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    enableCompileCache(folder);
  } catch {
    // Without it, the helper is slower.
  }
}

reportUncaught();
keepCompiled();
main(process.argv.slice(2)).catch((error) => {
  if (["allow", "engine", "pull", "resources"].includes(process.argv[2] ?? ""))
    process.stdout.write(errorAnswer(error));
  else process.stderr.write(`slipway: ${reportOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
});
