import { describe, expect, it } from "vitest";
import { exitStatusOf, Failure, jsonOf, messageOf, reportOf, UserError } from "./errors.ts";
import { failureWith, userErrorWith } from "./testdata/reported.ts";

const identity = { code: "field-invalid", culprit: "job.json:3:5" } as const;
const ours = [new UserError(identity, "It is wrong.", "Correct it."), new Failure(identity, "It broke.", "Wait.")];
const foreign = [new TypeError("odd"), "a text", undefined];

describe("an error for people", () => {
  it("has a class, a code and a culprit", () => {
    expect(ours).toEqual([userErrorWith("field-invalid", "job.json:3:5"), failureWith("field-invalid", /:5$/)]);
    expect(ours).not.toEqual([failureWith("field-invalid"), expect.anything()]);
    for (const error of [new Failure(identity, "", "Wait."), new Failure(identity, "It broke.", "")]) {
      expect(error).not.toEqual(failureWith("field-invalid"));
    }
  });

  it.each(ours)("has a problem and a remedy: %s", (error) => {
    expect(error.message).toBe(`${error.problem}\n${error.remedy}`);
    expect(messageOf(error)).toBe(error.message);
    expect(reportOf(error)).toBe(`${error.message} [field-invalid]`);
  });

  it("escapes the control characters of the texts that it quotes, and indents their further lines", () => {
    const quoted = "a\u001b]0;b\u0007c\r\u009b2Jd\u202ee\u007f";
    const shown = "a\\u001b]0;b\\u0007c\\r\\u009b2Jd\\u202ee\\u007f";
    const error = new Failure({ code: "program-failed", culprit: quoted }, `${quoted}\nmore`, quoted);
    expect([error.culprit, error.problem, error.remedy]).toEqual([shown, `${shown}\n  more`, shown]);
    expect(reportOf(error)).toBe(`${shown}\n  more\n${shown} [program-failed]`);
    expect(reportOf(quoted)).toBe(shown);
  });

  it("keeps its cause", () => {
    const cause = new TypeError("odd");
    expect(new UserError(identity, "It is wrong.", "Correct it.", { cause }).cause).toBe(cause);
  });

  it("is JSON on one line for programs", () => {
    const error = new UserError(identity, "It is\nwrong.", "Correct it.");
    expect(jsonOf(error)).not.toContain("\n");
    expect(JSON.parse(jsonOf(error))).toEqual({
      error: { code: "field-invalid", culprit: "job.json:3:5", problem: "It is\n  wrong.", remedy: "Correct it." },
    });
  });
});

describe("a foreign error", () => {
  it("has its stack, no code, and is JSON too", () => {
    const error = new TypeError("odd");
    expect(messageOf(error)).toBe(error.stack);
    expect(reportOf(error)).toBe(error.stack);
    expect(JSON.parse(jsonOf(error))).toEqual({ error: { problem: error.stack } });
    expect([reportOf("a text"), reportOf(undefined)]).toEqual(["a text", "undefined"]);
  });
});

it("a mistake of the user exits with 2, everything else with 1", () => {
  expect([...ours, ...foreign].map(exitStatusOf)).toEqual([2, 1, 1, 1, 1]);
});
