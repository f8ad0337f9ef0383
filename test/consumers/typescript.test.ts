import { hostname } from "node:os";
import { afterAll, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("typescript", "archive");
afterAll(() => consumer.end());

const rain = "rain: 66.4 ± 12.5 mm a month, most in August, November\n";

it("runs a TypeScript program with npm packages: pushed, computed in a container of its image", async () => {
  const stdout = await consumer.run("//:main");
  expect(stdout).toMatch(
    /^image: localhost:\d+\/typescript_example@sha256:[0-9a-f]{64}\ncomputed on: [0-9a-f]{12}\nrain: /,
  );
  expect(stdout.endsWith(rain)).toBe(true);
  await consumer.registry.verifyNamed("typescript_example", stdout);
  expect(consumer.unneeded()).toEqual([]);
});

it("runs it here without an image", async () => {
  expect(await consumer.run("//:main_local")).toBe(`image: none\ncomputed on: ${hostname()}\n${rain}`);
});

it("has the command line, which knows its version", async () => {
  expect(await consumer.slipway("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  const [image = {}, ...others] = JSON.parse(await consumer.slipway("registry", "ls", "--json"));
  expect([image, others]).toEqual([expect.objectContaining({ repository: "typescript_example" }), []]);
  // Only a push sets tags.
  expect(image).not.toHaveProperty("tag");
});
