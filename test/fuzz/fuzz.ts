import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { Failure, UserError } from "../../src/core/errors.ts";
import { seedOfTest } from "../faults/testdata/seeds.ts";
import { mutated } from "./mutate.ts";
import { type Target, targets } from "./targets.ts";

/** SLIPWAY_FUZZ_TARGET=NAME gives one target the time of all. */
const only = process.env["SLIPWAY_FUZZ_TARGET"];
const chosen = targets.filter(({ name }) => only === undefined || name === only);
/** Milliseconds of the processor for one input, of a few kilobytes. */
const slow = 1000;
const seed = seedOfTest();
let runs = 0;

/** What foreign content may cause: an error that names it. A fault of the language is one of the parser. */
function isExpected(error: unknown, allowed: Target["throws"]): boolean {
  if (error instanceof UserError || error instanceof Failure) return true;
  return (
    error instanceof Error &&
    !/call stack|Invalid (array|string) length/.test(error.message) &&
    (allowed?.(error) ?? false)
  );
}

async function attempt(target: Target, input: Buffer): Promise<void> {
  runs += 1;
  const began = process.cpuUsage();
  try {
    await target.run(input);
  } catch (error) {
    if (!isExpected(error, target.throws)) throw error;
  }
  const { user, system } = process.cpuUsage(began);
  expect((user + system) / 1000, "milliseconds").toBeLessThan(slow);
  expect(Object.keys(Object.prototype), "keys of every object").toEqual([]);
}

/** Declares tests of all targets, which together take so many seconds. */
export function fuzz(seconds: number): void {
  describe.each(chosen)("$name", (target) => declare(target, seconds));
  it("holds no more than 1 GiB", () => {
    expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(2 ** 30);
  });
  afterAll(() => console.log(`${runs} inputs to ${chosen.length} targets`));
}

function declare(target: Target, seconds: number): void {
  it("takes its seeds", async () => {
    for (const each of target.seeds) await target.run(Buffer.from(each));
  });

  it("takes or refuses what is close to them", { timeout: seconds * 1000 + 60_000 }, async () => {
    const input = mutated(target.seeds.map((each) => Buffer.from(each)));
    await fc.assert(
      fc.asyncProperty(input, (bytes) => attempt(target, bytes)),
      {
        seed,
        numRuns: 1_000_000_000,
        interruptAfterTimeLimit: (seconds * 1000) / chosen.length,
        markInterruptAsFailure: false,
      },
    );
  });
}
