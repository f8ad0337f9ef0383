/**
 * The program that uses engines for programs that cannot:
 * - `helper engine` prints the engine that SLIPWAY_ENGINE chooses.
 * - `helper check IMAGE…` checks that it can pull images.
 * - `helper run PROGRAM ARGUMENT…` runs a program in its image (jobs/run-image.ts), which PROGRAM describes as JSON.
 * - `helper job answer` runs a job (see jobs/answer-job.ts), `helper job supervise ID` supervises a local one.
 * - `helper serve` makes the calls of the program that started it, over its standard streams (program-protocol.ts).
 * - `helper serve SOCKET PROCESS IMAGE…` makes them over a socket, for the program of that process.
 */

import { mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { describeEngine, detectEngine } from "../containers/choose-engine.ts";
import { exitStatusOf, reportOf, UserError } from "../core/errors.ts";
import { writeTo } from "../core/flow.ts";
import { reportUncaught } from "../core/unexpected.ts";
import { cacheFolder } from "../core/user-folders.ts";
import { errorAnswer } from "../core/wire-error.ts";
import { CallServer, serveSocket } from "./serve.ts";

async function main([command, ...words]: readonly string[]): Promise<void> {
  if (command === "job") {
    const [action, id = ""] = words;
    if (action === "supervise") return (await import("../jobs/supervise.ts")).superviseById(id);
    return (await import("../jobs/answer-job.ts")).answerJob();
  }
  if (command === "serve") {
    const [socket, pid, ...images] = words;
    if (socket === undefined) {
      process.stdout.on("error", () => process.stdin.destroy());
      const server = new CallServer({ ...process.env });
      await server.serve(process.stdin, (data) => writeTo(process.stdout, data));
      await server.end();
    } else await serveSocket(socket, Number(pid), images);
    // Open connections to the cluster would keep this process alive.
    process.exit();
  }
  if (command === "run") {
    const [program = "", ...argv] = words;
    const { runImage } = await import("../jobs/run-image.ts");
    process.exit(await runImage(JSON.parse(program), argv, process.env));
  }
  const choice = detectEngine(process.env);
  if (command === "engine") {
    const remark = choice.kind === "process" && choice.remark ? choice.remark : null;
    process.stdout.write(`${JSON.stringify({ ...describeEngine(choice), remark })}\n`);
  } else if (command === "check") {
    if (choice.kind === "kubernetes") await (await import("./prepared-cluster.ts")).checkImages(words, process.env);
  } else {
    throw new UserError(
      { code: "command-line-invalid", culprit: String(command) },
      `The helper has no command ${command}.`,
      "Its commands are engine, check, job, run and serve.",
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
  if (process.argv[2] === "engine") process.stdout.write(errorAnswer(error));
  else process.stderr.write(`slipway: ${reportOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
});
