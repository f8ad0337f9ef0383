import { expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { executable } from "../core/testdata/executable.ts";
import { failureWith } from "../core/testdata/reported.ts";
import type { CallOutcome } from "./calls.ts";
import { HelperCalls } from "./helper.ts";
import { batch } from "./testdata/batch.ts";

/** Calls by a helper that is this program. @returns the outcomes */
async function answersOf(script: string): Promise<CallOutcome[]> {
  const helper = executable("helper", `#!${process.execPath}\n${script}`);
  const outcomes: CallOutcome[] = [];
  const env = { SLIPWAY_ENGINE_HELPER: helper, PATH: process.env["PATH"] ?? "" };
  await new HelperCalls("kubernetes", env).run(batch, {
    onOutcome: (_, outcome) => outcomes.push(outcome),
    onOutput: () => {},
  });
  return outcomes;
}

it("takes a line of JSON for one whatever is in it", async () => {
  const reply = { result: "one\u2028two\u2029three\r\u0085" };
  const answers = [{ index: 0, outcome: { reply } }, { done: { requests: 0 } }];
  const script = `for (const answer of ${JSON.stringify(answers)}) console.log(JSON.stringify(answer));`;
  expect(await answersOf(script)).toEqual([{ reply }]);
});

it("fails when its helper breaks off in the middle of an answer", async () => {
  const answers = answersOf(`process.stdout.write('{"index":0,"outc', () => process.exit(7));`);
  await expect(answers).rejects.toThrow(failureWith("program-failed", /helper$/));
  await expect(answers).rejects.toThrow("status 7");
});

it("throws its helper's error as it is", async () => {
  const error = { name: "UserError", code: "cluster-login", culprit: "u", message: "No.\nLog in.", details: "" };
  const thrown = await answersOf(`console.log(${JSON.stringify(JSON.stringify({ error }))})`).catch(
    (caught: unknown) => caught,
  );
  expect(thrown).toBeInstanceOf(UserError);
  expect(thrown).toMatchObject({ code: "cluster-login", culprit: "u", message: "No.\nLog in." });
});
