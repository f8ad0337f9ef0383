/**
 * What speaks to engines for programs that cannot: `helper engine` tells which one SLIPWAY_ENGINE chooses, `helper check IMAGE…` whether it can
 * pull images, `helper calls` runs functions of a program (see helper.ts for what goes over its standard input and output).
 */
import { createInterface } from "node:readline";
import { exitStatusOf, Failure, messageOf, UserError } from "../../oci/errors.ts";
import { detectEngine, type EngineChoice } from "../choose.ts";
import type { CallEngine } from "./calls.ts";
import { describeEngine } from "./describe.ts";
import type { HelperAnswer, HelperRequest } from "./helper.ts";
import { ContainerCalls } from "./local.ts";

async function open(choice: EngineChoice): Promise<CallEngine> {
  if (choice.kind === "container") return new ContainerCalls(choice.client, process.env);
  if (choice.kind === "kubernetes") return new (await import("./kubernetes.ts")).KubernetesCalls(process.env);
  throw new Failure("The helper was asked to run processes.", "Build the pipeline's target again.");
}

function say(answer: HelperAnswer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

async function calls(): Promise<void> {
  const gone = new AbortController();
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  lines.once("close", () => gone.abort());
  // Nobody reads any more: what runs is ended all the same.
  process.stdout.on("error", () => gone.abort());
  lines.once("line", async (line) => {
    try {
      const { batch } = JSON.parse(line) as HelperRequest;
      const engine = await open(detectEngine(process.env));
      await engine.run(batch, {
        signal: gone.signal,
        onOutcome: (index, outcome) => say({ index, outcome }),
        onOutput: (data) => void process.stderr.write(data),
      });
      say({ done: { requests: "requests" in engine ? Number(engine.requests) : 0 } });
    } catch (error) {
      const [problem = "", ...remedy] = messageOf(error).split("\n");
      const name = error instanceof UserError ? "UserError" : "Failure";
      if (!gone.signal.aborted) say({ error: { name, problem, remedy: remedy.join("\n") } });
      process.exitCode = 1;
    }
    lines.close();
    process.stdin.destroy();
  });
}

async function main([command, ...images]: readonly string[]): Promise<void> {
  if (command === "calls") return calls();
  const choice = detectEngine(process.env);
  if (command === "engine") {
    process.stdout.write(`${JSON.stringify({ ...describeEngine(choice), remark: remarkOf(choice) })}\n`);
  } else if (command === "check") {
    if (choice.kind === "kubernetes") await (await import("./kubernetes.ts")).checkImages(images, process.env);
  } else throw new UserError(`The helper knows no command ${command}.`, "Give it engine, check or calls.");
}

function remarkOf(choice: EngineChoice): string | null {
  return ("remark" in choice ? choice.remark : undefined) ?? null;
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`slipway: ${messageOf(error)}\n`);
  process.exitCode = exitStatusOf(error);
});
