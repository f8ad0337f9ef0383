import { expect, it } from "vitest";
import { pushAtRandom } from "./testdata/random.ts";

it("200 pushes over a way that breaks at random arrive whole or say why not", async () => {
  const { arrived, failed, faults } = await pushAtRandom(20_261_121, 200);
  console.log(`${arrived} pushes arrived, ${failed} failed with the cause named, ${faults} faults`);
  expect(arrived + failed).toBe(200);
  expect(arrived).toBeGreaterThan(50);
  expect(failed).toBeGreaterThan(20);
}, 240_000);
