import { afterAll, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("python");
afterAll(() => consumer.end());

const menu = "soup      4.50\nfish     12.25\n";

it("runs a Python program with a package from a lock file, here and in its image", async () => {
  const stdout = await consumer.run("//:main");
  const image = /^The image: (localhost:\d+\/python_example@sha256:[0-9a-f]{64})$/m.exec(stdout)?.[1] ?? "";
  expect(stdout).toMatch(/^soup .*\nfish .*\nPython 3\.\d+\.\d+\nThe image: .*\n$/);
  expect(stdout.startsWith(menu)).toBe(true);
  expect(await consumer.podman(image)).toMatch(new RegExp(`^${menu}Python 3\\.11\\.\\d+\nNo image was built\\.\n$`));
});

it("runs it here without an image", async () => {
  expect(await consumer.run("//:main_local")).toMatch(/^soup .*\nfish .*\nPython .*\nNo image was built\.\n$/);
  // Nothing for TypeScript either.
  expect(consumer.unneeded(/esbuild/)).toEqual([]);
});
