import { expect, it } from "vitest";
import { reportOf, UserError } from "../core/errors.ts";
import { printedError } from "./printed-error.ts";

it("reads the problem, remedy and code of an error that another process printed", () => {
  const error = new UserError({ code: "git-login", culprit: "https://a.io/b" }, "Refused.", "Add a password [now].");
  const { problem, remedy, code } = error;
  expect(printedError(["https://a.io/b: cloning", ...reportOf(error).split("\n")])).toEqual({ problem, remedy, code });
});

it("takes the words of a program without codes as they are", () => {
  expect(printedError([])).toEqual({ problem: "", remedy: "", code: undefined });
  expect(printedError(["Killed"])).toEqual({ problem: "Killed", remedy: "", code: undefined });
  expect(printedError(["No.", "See [toString]"])).toEqual({
    problem: "No.",
    remedy: "See [toString]",
    code: undefined,
  });
});
