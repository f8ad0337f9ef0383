import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { parseJson } from "./json.ts";

it.each([201, 100_000])("refuses %s nested lists", (depth) => {
  expect(() => parseJson("[".repeat(depth) + "]".repeat(depth), "a.json")).toThrow(
    userErrorWith("image-invalid", "a.json"),
  );
});

it("accepts 200 nested lists", () => {
  parseJson("[".repeat(200) + "]".repeat(200), "a.json");
});
