import { afterAll, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("workspace", "repository");
afterAll(() => consumer.end());

it("runs a program of a workspace without MODULE.bazel in a container of its image", async () => {
  const stdout = await consumer.run("//:main");
  expect(stdout).toMatch(/^image: localhost:\d+\/workspace_example@sha256:[0-9a-f]{64}\nwords: 4\n$/);
  expect(await consumer.run("//:main_local")).toBe("image: none\nwords: 4\n");
  expect(consumer.unneeded()).toEqual([]);
});
