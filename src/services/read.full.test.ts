import { it } from "vitest";
import { fuzz } from "./testdata/fuzz.ts";

it("is read or refused for a minute, whatever it is, without a word of a password", { timeout: 600_000 }, () => {
  fuzz(Number.POSITIVE_INFINITY, 60);
});
