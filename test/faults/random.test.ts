import { expect, it } from "vitest";
import { pushAtRandom } from "./testdata/random.ts";

it("20 pushes over a way that breaks at random arrive whole or say why not", async () => {
  const { arrived, failed, faults } = await pushAtRandom(1, 20);
  expect(arrived + failed).toBe(20);
  expect(faults).toBeGreaterThan(20);
});
