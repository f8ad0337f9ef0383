import { expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { toWire } from "../core/wire-error.ts";
import { revive } from "./remote-error.ts";

it("a UserError or Failure arrives with its code and culprit", () => {
  const error = new UserError({ code: "file-invalid", culprit: "a.csv:3" }, "It has no header.", "Add one.");
  expect(revive({ ...toWire(error), where: "a container of x" }, "")).toEqual(error);
});

it("another error has both stacks, and the remedy if there is one", () => {
  const wire = toWire(new TypeError("fetch failed"));
  const { message, name, stack } = revive({ ...wire, where: "a container of x", remedy: "Set it." }, "    at here");
  expect({ message, name }).toEqual({ message: "fetch failed\nSet it.", name: "TypeError" });
  expect(stack).toMatch(
    /^TypeError: fetch failed\n[\s\S]*Set it\.\n {4}--- thrown in a container of x, called here ---\n {4}at here$/,
  );
});
