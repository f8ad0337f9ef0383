import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { constants, zstdCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import { decompressLayer } from "./decompress.ts";

/** A frame that comes in two pieces: what says its window, and the rest. */
function compressed(window: number, asked: () => unknown) {
  const frame = zstdCompressSync("content", { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  frame[5] = (window - 10) << 3;
  return decompressLayer(
    (async function* () {
      yield frame.subarray(0, 6);
      await asked();
      yield frame.subarray(6);
    })(),
  );
}

it.each([
  [23, ["other", "first"]],
  [24, ["first", "other"]],
])("a zstd window of 2^%d bytes is beside another in memory only up to 8 MiB", async (window, expected) => {
  const order: string[] = [];
  const first = compressed(window, async () => {
    for (let turn = 0; turn < 100 && order.length === 0; turn++) await nextTurn();
    order.push("first");
  });
  const contents = [first, compressed(window, () => order.push("other"))].map((each) => text(each));
  expect(await Promise.all(contents)).toEqual(["content", "content"]);
  expect(order).toEqual(expected);
});

it("a layer that is given up lets others have their windows", async () => {
  for await (const _ of compressed(25, () => {})) break;
  expect((await compressed(25, () => {}).next()).value?.toString()).toBe("content");
});
