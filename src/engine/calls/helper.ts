import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Failure, UserError } from "../../oci/errors.ts";
import type { Environment } from "../engine.ts";
import { interruptible } from "../interrupts.ts";
import type { EngineKind } from "../kind.ts";
import { type CallBatch, type CallEngine, type CallListener, type CallOutcome, helperVariable } from "./calls.ts";

/** First line of the helper's standard input, which then stays open for as long as somebody waits for the results. */
export interface HelperRequest {
  readonly batch: CallBatch;
}

/** A line of the helper's standard output. The last one is `done` or `error`. */
export type HelperAnswer =
  | { readonly index: number; readonly outcome: CallOutcome }
  | { readonly done: { /** What the cluster was asked. */ readonly requests: number } }
  | { readonly error: { readonly name: string; readonly problem: string; readonly remedy: string } };

/** Milliseconds that the helper may take to end what runs. */
const grace = 150_000;

/** Calls on an engine that only the helper can speak to. */
export class HelperCalls implements CallEngine {
  readonly kind: EngineKind;
  readonly #env: Environment;

  constructor(kind: EngineKind, env: Environment) {
    this.kind = kind;
    this.#env = env;
  }

  async run(batch: CallBatch, listener: CallListener): Promise<void> {
    const helper = this.#env[helperVariable];
    if (!helper) {
      throw new UserError(
        `SLIPWAY_ENGINE=${this.kind}: this program was not started by its pipeline, which brings what speaks to that engine.`,
        "Start it with bazel run of the pipeline's own target, or set SLIPWAY_ENGINE to container or process.",
      );
    }
    const child = spawn(helper, ["calls"], {
      env: this.#env,
      stdio: ["pipe", "pipe", "pipe"],
      // A terminal's signals reach it by us, and it outlives us to end what runs.
      detached: true,
    });
    const ended = once(child, "close") as Promise<[number | null]>;
    child.stdin.on("error", () => {});
    child.stdin.write(`${JSON.stringify({ batch } satisfies HelperRequest)}\n`);
    child.stderr.on("data", listener.onOutput);
    let last: HelperAnswer | undefined;
    createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      const answer = JSON.parse(line) as HelperAnswer;
      if ("index" in answer) listener.onOutcome(answer.index, answer.outcome);
      else last = answer;
    });
    const stop = async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), grace);
      await ended.finally(() => clearTimeout(timer));
    };
    const abort = () => void stop().catch(() => {});
    listener.signal?.addEventListener("abort", abort, { once: true });
    let status: number | null;
    try {
      [status] = await interruptible(ended, stop);
    } catch (cause) {
      throw new Failure(`${helper} cannot be started.`, "Build the pipeline's target again.", { cause });
    } finally {
      listener.signal?.removeEventListener("abort", abort);
    }
    listener.signal?.throwIfAborted();
    if (last !== undefined && "done" in last) return;
    if (last !== undefined && "error" in last) {
      const { name, problem, remedy } = last.error;
      throw name === "UserError" ? new UserError(problem, remedy) : new Failure(problem, remedy);
    }
    throw new Failure(`${helper} ended with status ${status} before it was done.`, "Look at what it printed above.");
  }
}
