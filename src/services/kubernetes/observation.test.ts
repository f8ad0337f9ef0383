import { expect, it } from "vitest";
import { selectorFor } from "./observation.ts";

it("selects one service, and all where there are several or what is asked for is no name", () => {
  expect(selectorFor(["web-2"])).toBe("slipway/service=web-2");
  for (const names of [[], ["a", "b"], [""], ["a b"], ["a,b"], ["a,!c"], ["é"]]) {
    expect(selectorFor(names)).toBe("slipway/service");
  }
});
