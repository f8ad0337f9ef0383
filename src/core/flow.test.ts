import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { flow, writeTo } from "./flow.ts";

it("reads no further while there is no room", async () => {
  const [from, to] = [new PassThrough(), new PassThrough({ highWaterMark: 4 })];
  const passed: number[] = [];
  flow(from, (data) => {
    passed.push(data.length);
    return writeTo(to, data);
  });
  from.write(Buffer.alloc(10));
  await expect.poll(() => from.isPaused()).toBe(true);
  from.write(Buffer.alloc(3));
  await new Promise((resolve) => setImmediate(resolve));
  expect([passed, from.isPaused()]).toEqual([[10], true]);
  to.resume();
  await expect.poll(() => passed).toEqual([10, 3]);
});

it("does not wait for a reader that is gone", async () => {
  const to = new PassThrough({ highWaterMark: 1 });
  const written = writeTo(to, "xyz");
  to.destroy();
  await written;
  expect(["drain", "close"].map((event) => to.listenerCount(event))).toEqual([0, 0]);
  expect(
    writeTo(
      to.on("error", () => {}),
      "more",
    ),
  ).toBeUndefined();
});
