import { expect, it } from "vitest";
import { referenceMistake, secretIn } from "./secret-reference.ts";

it("finds the name of a secret only behind SECRET:", () => {
  expect(["SECRET:db-password", "SECRET:", "secret:a", " SECRET:a", "a SECRET:b", ""].map(secretIn)).toEqual([
    "db-password",
    "",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

it("complains about what no secret can be called, without quoting it", () => {
  for (const value of ["SECRET:a", "SECRET:A.b_c-9", "text", ""]) expect(referenceMistake(value)).toBeUndefined();
  for (const value of [
    "SECRET:",
    "SECRET: hunter2",
    "SECRET:hunter2!",
    "SECRET:../hunter2",
    `SECRET:${"x".repeat(64)}`,
  ]) {
    expect(referenceMistake(value)).toEqual(["does not name a secret", expect.stringContaining("slipway secret set")]);
    expect(String(referenceMistake(value))).not.toContain("hunter2");
  }
});
