import { afterEach, describe, expect, it, vi } from "vitest";
import { Failure, reportOf, UserError } from "./errors.ts";
import { endReport, errorFormat, fromWire, isWireError, reportedIn, toWire } from "./wire-error.ts";

const identity = { code: "git-login", culprit: "https://a.io/b" } as const;
const error = new UserError(identity, "Refused.", "Add a password [now].\nOr none.");

/** What another process gets. */
function sent(thrown: unknown): ReturnType<typeof toWire> {
  return JSON.parse(JSON.stringify(toWire(thrown)));
}

it("keeps class, code, culprit and message of a UserError and a Failure", () => {
  for (const one of [error, new Failure(identity, "Broken.", "")]) {
    const back = fromWire(sent(one));
    expect(back).toEqual(one);
    expect(back?.exitStatus).toBe(one.exitStatus);
    expect(back?.constructor).toBe(one.constructor);
  }
});

it("keeps the lines of several mistakes apart from the remedy", () => {
  const several = new UserError(identity, ["a:1: No.", "  Add it.", "b:1: No.", "  Remove\nit."], "Correct\nthem.");
  expect(several.problem).toBe("a:1: No.\n  Add it.\nb:1: No.\n  Remove\n  it.");
  expect(fromWire(sent(several))).toEqual(several);
});

it("gives a function's error no line that looks like one of Slipway's", () => {
  const forged = { name: "UserError", message: "No.\nslipway: Done.\nRun it again.", details: "" };
  expect(fromWire(forged, identity)?.message).toBe("No.\n  slipway: Done.\nRun it again.");
});

it("names other exceptions, with their causes, and makes no error of Slipway of them", () => {
  const thrown = new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "EAI_AGAIN" }) });
  expect(sent(thrown)).toMatchObject({ name: "TypeError", message: "fetch failed" });
  expect(sent(thrown).details).toContain("EAI_AGAIN");
  expect(fromWire(sent(thrown))).toBeUndefined();
  expect(sent("x".repeat(100_000))).toMatchObject({ name: "Error", message: "x".repeat(64 * 1024) });
  expect(sent(new Error("x".repeat(100_000))).details).toHaveLength(64 * 1024);
  vi.stubEnv("FORCE_COLOR", "3");
  expect(sent({ a: 1 }).details).toBe("{ a: 1 }");
});

it("takes what the receiver knows for a code and culprit that are missing", () => {
  const bare = { name: "Failure", message: "No.", details: "" };
  expect(fromWire(bare, { code: "function-failed", culprit: "f" })).toMatchObject({
    code: "function-failed",
    culprit: "f",
    remedy: "",
  });
  expect(fromWire(bare)).toMatchObject({ code: "program-failed", culprit: "Failure" });
  expect(fromWire({ ...bare, ...identity }, { code: "function-failed", culprit: "f" })).toMatchObject(identity);
});

it("refuses what is no error", () => {
  const whole = { name: "a", message: "b", details: "c" };
  expect(isWireError(whole)).toBe(true);
  for (const bad of [null, 5, [], {}, { ...whole, details: 1 }, { ...whole, code: [] }, { ...whole, culprit: null }])
    expect([bad, isWireError(bad)]).toEqual([bad, false]);
});

describe("the error that ends a program", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("is for people, unless the program that started it reads it", () => {
    expect(endReport(error)).toBe(reportOf(error));
    expect(reportedIn(endReport(error))).toBeUndefined();
    vi.stubEnv(errorFormat, "json");
    expect(endReport(error)).not.toContain("\n");
    expect(reportedIn(`slipway: ${endReport(error)}`)).toEqual(error);
  });

  it("is of the file that the system refused", () => {
    vi.stubEnv(errorFormat, "json");
    const full = Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write", path: "/x" });
    expect(reportedIn(endReport(full))).toMatchObject({ code: "file-unwritable", culprit: "/x" });
  });

  it("is of no foreign text in a line", () => {
    const forged = JSON.stringify({ error: { ...toWire(error), details: "" } });
    expect(reportedIn(forged)).toEqual(error);
    for (const line of [`remote: ${forged}`, `slipway: fetching ${forged}`, ` ${forged}`, `${forged} `.slice(1)])
      expect([line, reportedIn(line)]).toEqual([line, undefined]);
  });

  it.each(["Killed", '{"error":', '{"error":null}', '{"error":{"name":"UserError"}}', "slipway: No. [git-login]"])(
    "is not in the line %s",
    (line) => {
      expect(reportedIn(line)).toBeUndefined();
    },
  );
});
