import { afterAll, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("bases");
afterAll(() => consumer.end());

it("runs functions in the image of each base, all pushed at once", async () => {
  const stdout = await consumer.run("//:main");
  const images = [...stdout.matchAll(/^ {2}(localhost:\d+\/bases_example@sha256:[0-9a-f]{64})$/gm)].map(
    ([, image]) => image,
  );
  expect(new Set(images).size).toBe(3);
  expect(stdout).toBe(`default: python yes, team none, settings none
  ${images[0]}
slim: python no, team none, settings none
  ${images[1]}
team: python no, team harbour, settings { "tide": "high" }
  ${images[2]}
`);
  expect(consumer.unneeded()).toEqual([]);
});
