import { window } from "../functions/program-protocol.ts";
import { runsHere } from "./call-engine.ts";
import { callHere } from "./call-here.ts";
import type { CallOptions } from "./call-options.ts";
import { finished, startCalls } from "./calls.ts";
import { checkOptions, ofFunctions } from "./check-options.ts";
import type { ImageFunction } from "./image-functions.ts";
import type { Json } from "./json.ts";
import { callSite } from "./remote-error.ts";
import { step } from "./steps.ts";
import { encodeItem } from "./values.ts";

/** Options of `stream`. Omitted options have the values that {@link inImage} was given. */
export interface StreamOptions extends CallOptions {
  /** As for {@link mapInImage}. */
  readonly parallelism?: number;
  /** Yield results in the order of the items. With false, as they come. Default: true. */
  readonly ordered?: boolean;
  /** Yield failures too, as `Promise.allSettled` does, instead of throwing. Default: false. */
  readonly settled?: boolean;
}

/** @see StepFunction.stream */
export async function* streamCalls(
  target: ImageFunction,
  items: Iterable<Json> | AsyncIterable<Json>,
  options: StreamOptions = {},
): AsyncGenerator<unknown, void, undefined> {
  const site = callSite(streamCalls);
  const more = [...ofFunctions, "parallelism", "ordered", "settled"] as const;
  const { ordered = true, settled = false, ...rest } = checkOptions("stream", options, ...more);
  const { name } = target;
  const whole = { ...target.options, ...rest };
  const answers = new Answers(ordered);
  const most = window(whole);
  if (runsHere()) {
    let index = 0;
    for await (const item of items) {
      const [result] = await Promise.allSettled([callHere(target, await encodeItem(item, index++, name))]);
      yield given(result, settled);
    }
    return;
  }
  const known = await step({ name, takes: [] }, async (_, made) => made);
  const calls = { name, options: whole, site, step: known };
  const batch = await startCalls(calls, null, (index, result) => answers.add(index, result));
  let isLeft = false;
  const feed = async () => {
    let index = 0;
    for await (const item of items) {
      // Nobody has taken the results of those before.
      while (index - answers.taken >= most && !isLeft) await answers.next();
      if (isLeft) return;
      const encoded = encodeItem(item, index, name);
      const room = batch.item(index, encoded instanceof Promise ? await encoded : encoded);
      if (room) await room;
      index += 1;
      answers.count = index;
    }
    answers.isWhole = true;
    answers.wake();
    batch.close();
  };
  feed().catch((error) => answers.fail(error));
  const ended = finished(batch).catch((error) => answers.fail(error));
  try {
    for (;;) {
      const answer = await answers.take();
      if (answer === undefined) break;
      yield given(await answer, settled);
    }
    await ended;
  } finally {
    isLeft = true;
    answers.wake();
    if (!answers.isOver) await batch.cancel();
  }
}

function given(result: PromiseSettledResult<unknown>, isSettled: boolean): unknown {
  if (isSettled) return result;
  if (result.status === "rejected") throw result.reason;
  return result.value;
}

type Answer = PromiseSettledResult<unknown> | Promise<PromiseSettledResult<unknown>>;

/** Results that wait for whoever takes them. */
class Answers {
  readonly #isOrdered: boolean;
  readonly #waiting = new Map<number, Answer>();
  /** Somebody waits for it. */
  #change: PromiseWithResolvers<void> | undefined;
  #error: { readonly error: unknown } | undefined;
  /** Items that were sent. */
  count = 0;
  isWhole = false;
  taken = 0;

  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  get isOver(): boolean {
    return this.#error === undefined && this.isWhole && this.taken === this.count;
  }

  add(index: number, answer: Answer): void {
    this.#waiting.set(index, answer);
    this.wake();
  }

  fail(error: unknown): void {
    this.#error ??= { error };
    this.wake();
  }

  wake(): void {
    this.#change?.resolve();
    this.#change = undefined;
  }

  /** Settles with the next change. */
  next(): Promise<void> {
    this.#change ??= Promise.withResolvers();
    return this.#change.promise;
  }

  /** Undefined: there are no more. */
  async take(): Promise<Answer | undefined> {
    for (;;) {
      const [first] = this.#waiting.keys();
      const index = this.#isOrdered ? this.taken : first;
      const answer = index === undefined ? undefined : this.#waiting.get(index);
      if (answer !== undefined && index !== undefined) {
        this.#waiting.delete(index);
        this.taken += 1;
        // Wakes whoever sends items, now and then.
        if (this.taken % 64 === 0) this.wake();
        return answer;
      }
      if (this.#error) throw this.#error.error;
      if (this.isOver) return undefined;
      await this.next();
    }
  }
}
