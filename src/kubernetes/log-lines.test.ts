import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogLines } from "./log-lines.ts";

interface Line {
  /** Milliseconds. */
  readonly time: number;
  readonly text: string;
}

/** A log as a kubelet gives it, from a time on. */
function served(lines: readonly Line[], since: string | undefined): Buffer {
  const from = since === undefined ? 0 : Date.parse(since);
  const stamp = (time: number) => new Date(time).toISOString().replace("Z", "123456Z");
  return Buffer.from(
    lines
      .filter(({ time }) => time >= from)
      .map(({ time, text }) => `${stamp(time)} ${text}`)
      .join(""),
  );
}

const start = Date.parse("2026-03-01T10:00:00Z");

const step = fc.record({
  step: fc.integer({ min: 0, max: 1500 }),
  back: fc.integer({ min: 0, max: 400 }),
  text: fc.string(),
});

/** Lines less than a second out of order, some with equal times; the last may lack its end. */
const logs = fc.tuple(fc.array(step, { maxLength: 30 }), fc.boolean()).map(([steps, isWhole]) => {
  let time = start;
  return steps.map(({ step, back, text }, index): Line => {
    time += step;
    const isCut = !isWhole && index === steps.length - 1;
    return { time: time - back, text: text.replaceAll("\n", " ") + (isCut ? "" : "\n") };
  });
});

describe("LogLines", () => {
  it("loses nothing and doubles nothing, wherever connections break off", () => {
    fc.assert(
      fc.property(
        logs,
        fc.array(fc.nat(400), { maxLength: 8 }),
        fc.integer({ min: 1, max: 20 }),
        (lines, breaks, size) => {
          const reader = new LogLines();
          const text: Buffer[] = [];
          for (const length of [...breaks, Number.POSITIVE_INFINITY]) {
            const connection = served(lines, reader.since()).subarray(0, length);
            for (let at = 0; at < connection.length; at += size)
              text.push(reader.write(connection.subarray(at, at + size)));
          }
          expect(Buffer.concat(text).toString()).toBe(lines.map((line) => line.text).join(""));
        },
      ),
    );
  });

  it("goes on where the log was rotated meanwhile", () => {
    const lines = ["a", "b", "c", "d"].map((text, index) => ({ time: start + index, text: `${text}\n` }));
    for (const rotated of [1, 3]) {
      const reader = new LogLines();
      reader.since();
      reader.write(served(lines.slice(0, 3), undefined));
      expect(reader.write(served(lines.slice(rotated), reader.since())).toString()).toBe("d\n");
    }
  });

  it("asks again for no more than a second before the latest line", () => {
    const reader = new LogLines();
    expect(reader.since()).toBeUndefined();
    reader.write(served([{ time: start + 1900, text: "x\n" }], undefined));
    expect(reader.since()).toBe("2026-03-01T10:00:00Z");
  });

  it("leaves out what the kubelet says in place of a log", () => {
    const reader = new LogLines();
    const said = "2026-03-01T10:00:00.123456789Z one\nunable to retrieve container logs for containerd://1f";
    expect(reader.write(Buffer.from(said)).toString()).toBe("one\n");
    expect(reader.isOther).toBe(true);
    reader.since();
    expect(reader.write(Buffer.from("2026-03-01T10:00:00.123456789Z one\n2026-03-01T10:00:01Z two\n")).toString()).toBe(
      "two\n",
    );
    expect(reader.isOther).toBe(false);
    expect(reader.write(Buffer.from("x".repeat(50))).length).toBe(0);
    expect(reader.isOther).toBe(true);
  });
});
