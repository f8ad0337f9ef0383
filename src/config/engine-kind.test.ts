import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { engineIn } from "./engine-kind.ts";

it("knows the engines, and none", () => {
  for (const kind of ["container", "kubernetes", "process"]) expect(engineIn({ SLIPWAY_ENGINE: kind })).toBe(kind);
  expect(engineIn({})).toBeUndefined();
  expect(engineIn({ SLIPWAY_ENGINE: "" })).toBeUndefined();
});

it.each([
  ["kubernets", "did you mean kubernetes?"],
  ["Container", "did you mean container?"],
  ["proces", "did you mean process?"],
  ["podman", "Set SLIPWAY_ENGINE to container, kubernetes or process"],
])("refuses %s, with the nearest name", (name, words) => {
  expect(() => engineIn({ SLIPWAY_ENGINE: name })).toThrow(userErrorWith("variable-invalid", "SLIPWAY_ENGINE"));
  expect(() => engineIn({ SLIPWAY_ENGINE: name })).toThrow(words);
});
