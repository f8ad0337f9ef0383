import { afterAll, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("any_binary");
afterAll(() => consumer.end());

it("runs a compiled program in its image, on a base without a shell's help", async () => {
  const [image = ""] = (await consumer.run("//:main_push")).split("\n");
  expect(image).toMatch(/^localhost:\d+\/any_binary_example@sha256:[0-9a-f]{64}$/);
  expect(await consumer.podman(image, "20")).toBe("2 3 5 7 11 13 17 19 \n");
  expect(await consumer.run("//:main")).toBe("2 3 5 7 11 13 17 19 23 29 \n");
});

it("runs a program as a job, by the command line that the release has", async () => {
  expect(await consumer.run("//:first_primes")).toBe("2 3 5 7 11 13 17 19 \n");
});

it("runs a shell script with the program and the file that it brings along", async () => {
  const [image = ""] = (await consumer.run("//:greet_push")).split("\n");
  expect(await consumer.podman(image)).toMatch(/^.+\nPrimes: 2 3 5 7 11 13 17 19 \nImage: none\n$/);
  // Nothing for TypeScript either.
  expect(consumer.unneeded(/esbuild/)).toEqual([]);
});
