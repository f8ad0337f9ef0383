import type { Readable } from "node:stream";
import type { Sink } from "../core/flow.ts";
import { onLines } from "../core/lines.ts";
import type { CallEngine, CallListener } from "./calls.ts";
import type { HelperAnswer, HelperRequest, SettleRequest } from "./helper.ts";
import { toHelperError } from "./helper-error.ts";
import type { KeptCalls } from "./keep.ts";

interface Caller {
  readonly questions: Readable;
  readonly answer: (answer: HelperAnswer) => void;
  readonly output: Sink;
}

/**
 * Until the program's connection ends. If `open` gives no engine, declines the calls. @returns whether the engine
 * worked
 */
export async function converse(
  { questions, answer, output }: Caller,
  open: (request: HelperRequest) => Promise<CallEngine | undefined>,
  kept: KeptCalls,
): Promise<boolean> {
  const gone = new AbortController();
  const line = await new Promise<string | undefined>((resolve) => {
    const end = () => {
      gone.abort();
      resolve(undefined);
    };
    onLines(questions, resolve);
    // A program may be killed before it has read all answers.
    for (const event of ["end", "error", "close"]) questions.once(event, end);
  });
  if (line === undefined) return true;
  try {
    const request = JSON.parse(line) as HelperRequest | SettleRequest;
    if ("settle" in request) {
      await kept.settle();
      answer({ done: { requests: 0 } });
      return true;
    }
    const engine = await open(request);
    if (engine === undefined) answer({ declined: true });
    else {
      const listener: CallListener = {
        signal: gone.signal,
        handsOn: true,
        onStart: (index, where) => answer({ index, started: where ?? "" }),
        onOutcome: (index, outcome) => answer({ index, outcome }),
        onOutput: output,
      };
      await kept.run(engine, request.batch, listener);
      answer({ done: { requests: "requests" in engine ? Number(engine.requests) : 0 } });
    }
    return true;
  } catch (error) {
    if (!gone.signal.aborted) answer({ error: toHelperError(error, "The engine's helper failed") });
    return false;
  }
}
