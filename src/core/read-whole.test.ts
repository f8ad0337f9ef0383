import { createReadStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ReadLimit, readWhole } from "./read-whole.ts";

describe("readWhole", () => {
  it("gives what fits, to the last byte", async () => {
    const pieces = ["ab", "cd"].map((text) => Buffer.from(text));
    expect((await readWhole(Readable.from(pieces), 4, 10_000)).toString()).toBe("abcd");
    await expect(readWhole(Readable.from(pieces), 3, 10_000)).rejects.toThrow(new ReadLimit("has more than 3 bytes"));
  });

  it("closes a file without end, and a stream that never ends", async () => {
    const zeros = createReadStream("/dev/zero");
    await expect(readWhole(zeros, 1 << 20, 10_000)).rejects.toThrow("has more than 1048576 bytes");
    const silent = new PassThrough();
    await expect(readWhole(silent, 1, 20)).rejects.toThrow("did not end within 0.02 s");
    expect([zeros.destroyed, silent.destroyed]).toEqual([true, true]);
  });
});
