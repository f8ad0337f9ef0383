import { createReadStream } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { limited, ReadLimit, readWhole } from "./read-whole.ts";

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
    expect(new ReadLimit("a").name).toBe("ReadLimit");
    expect([zeros.destroyed, silent.destroyed]).toEqual([true, true]);
  });

  it("lets a long stream go on that keeps its pace, and ends one that drips", async () => {
    const steady = new PassThrough();
    let sent = 0;
    const timer = setInterval(() => (++sent < 8 ? steady.write("abcd") : steady.end()), 10);
    expect((await readWhole(steady, 100, 60, 4)).length).toBe(28);
    clearInterval(timer);
    const drips = new PassThrough();
    const dripping = setInterval(() => drips.write("a"), 5);
    await expect(readWhole(drips, 1000, 40, 100)).rejects.toThrow("sent less than 100 bytes in 0.04 s");
    clearInterval(dripping);
  });
});

describe("limited", () => {
  it("gives buffers of whatever comes, and leaves no timer", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    async function* mixed() {
      yield "é";
      yield new Uint8Array([0, 97, 98]).subarray(1, 2);
      yield Buffer.from("c");
      await vi.advanceTimersByTimeAsync(900);
      yield "d";
      await vi.advanceTimersByTimeAsync(900);
    }
    expect((await readWhole(mixed(), 6, 1000, 1)).toString()).toBe("éacd");
    expect((await readWhole(mixed(), 6)).toString()).toBe("éacd");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("passes pieces on before the limit is reached", async () => {
    const got: string[] = [];
    const reading = async () => {
      for await (const piece of limited(Readable.from(["ab", "cd", "e"]), { bytes: 4 })) got.push(piece.toString());
    };
    await expect(reading()).rejects.toThrow(new ReadLimit("has more than 4 bytes"));
    expect(got).toEqual(["ab", "cd"]);
  });
});
