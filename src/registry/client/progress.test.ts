import { describe, expect, it, vi } from "vitest";
import { formatBytes } from "../../config/quantity.ts";
import { sha256 } from "../../oci/digest.ts";
import type { RegistryClient } from "./client.ts";
import { PushProgress, type TerminalSize } from "./progress.ts";
import { formatTime } from "./progress-lines.ts";
import type { PushEvent } from "./push.ts";
import { imageOf } from "./testdata/images.ts";
import { screenOf } from "./testdata/screen.ts";

const client = { registry: "localhost:5000" } as RegistryClient;
const image = imageOf(client, { repository: "team/app", tags: ["v1"], layers: ["x"] });
const [first, second, third] = [sha256("1"), sha256("2"), sha256("3")];
const short = (digest: string) => digest.slice(0, 19);

const events: PushEvent[] = [
  { type: "checked", image, blobs: 3 },
  { type: "blob", image, digest: third, size: 7, outcome: "present" },
  { type: "sending", image, digest: first, size: 4_000_000 },
  { type: "sending", image, digest: second, size: 500 },
  { type: "sent", image, digest: first, bytes: 1_000_000 },
  { type: "sent", image, digest: first, bytes: 1_000_000 },
  { type: "sent", image, digest: first, bytes: 2_000_000 },
  { type: "blob", image, digest: second, size: 500, outcome: "mounted" },
  { type: "blob", image, digest: first, size: 4_000_000, outcome: "uploaded" },
  { type: "image", image, outcome: "pushed" },
];

/** What is written when every event comes so many milliseconds after the last one. */
function written(list: readonly PushEvent[], every: number, terminal?: TerminalSize, isFinished = true): string {
  let text = "";
  let now = 0;
  const progress = new PushProgress({ write: (part) => (text += part), terminal: () => terminal, now: () => now });
  for (const event of list) {
    now += every;
    progress.onEvent(event);
  }
  if (isFinished) for (let times = 0; times < 2; times++) progress.finish();
  return text;
}

/** What a terminal shows before the last events. */
const shown = (terminal: TerminalSize, without: number) =>
  screenOf(written(events.slice(0, -without), 1000, terminal, false), terminal.columns);

const summary = "pushed localhost:5000/team/app:v1: 1 blob sent (4.0 MB), 1 mounted (500 B), 1 there already (7 B)\n";

describe("PushProgress", () => {
  it("says nothing when nothing was moved", () => {
    expect(written([{ type: "image", image, outcome: "unchanged" }], 1000, { columns: 80, rows: 24 })).toBe("");
  });

  it("writes whole lines where there is no terminal, and one only when it is quick", () => {
    expect(written(events, 1)).toBe(summary);
    expect(written(events, 3000)).toBe(
      "pushing: 1 of 3 blobs, 1.0 MB of 4.0 MB, 167 kB/s, 19 s left\n" +
        "pushing: 1 of 3 blobs, 4.0 MB of 4.0 MB, 333 kB/s, 1 s left\n" +
        `pushing: 3 of 3 blobs, 4.0 MB of 4.0 MB, 222 kB/s\n${summary}`,
    );
  });

  it("writes a line at least all 5 s where there is no terminal, also while nothing is sent", () => {
    vi.useFakeTimers();
    try {
      const times: number[] = [];
      const now = () => Date.now();
      const progress = new PushProgress({ write: () => times.push(now()), terminal: () => undefined, now });
      const start = now();
      for (const event of events.slice(0, 4)) progress.onEvent(event);
      vi.advanceTimersByTime(60_000);
      progress.finish();
      expect(Math.max(...times.map((at, index) => at - (times[index - 1] ?? start)))).toBeLessThan(5000);
      expect(times).toHaveLength(15);
    } finally {
      vi.useRealTimers();
    }
  });

  it("has a line for every blob in flight on a terminal, and one for all", () => {
    expect(shown({ columns: 80, rows: 24 }, 4)).toEqual([
      `  ${short(first)} 2.0 MB of 4.0 MB, 667 kB/s, 3 s left`,
      `  ${short(second)} 500 B, waiting`,
      "pushing: 1 of 3 blobs, 2.0 MB of 4.0 MB, 667 kB/s, 4 s left",
    ]);
    expect(shown({ columns: 80, rows: 24 }, 2)).toEqual([
      `  ${short(first)} 4.0 MB of 4.0 MB, 800 kB/s`,
      "pushing: 2 of 3 blobs, 4.0 MB of 4.0 MB, 800 kB/s",
    ]);
  });

  it("leaves nothing of them in the end, however wide the terminal is", () => {
    for (const columns of [5, 20, 40, 60, 80, 200]) {
      const wide = Math.max(columns, summary.length);
      const text = written(events, 1000, { columns, rows: 24 });
      expect(screenOf(text, wide)).toEqual([summary.trimEnd(), ""]);
    }
  });

  it("fits lines to a narrow terminal, whose last column stays free", () => {
    expect(shown({ columns: 40, rows: 24 }, 4)).toEqual([
      `  ${short(first)} 2.0 MB of 4.0 MB`.slice(0, 39),
      `  ${short(second)} 500 B, waiting`,
      "pushing: 1 of 3 blobs, 2.0 MB of 4.0 MB",
    ]);
    expect(shown({ columns: 12, rows: 24 }, 4)).toEqual(
      [first, second, "pushing:"].map((text) => (text.startsWith("p") ? text : `  ${text.slice(0, 9)}`)),
    );
  });

  it("takes no more rows than there are", () => {
    expect(shown({ columns: 80, rows: 3 }, 4).length).toBe(2);
    expect(shown({ columns: 80, rows: 1 }, 4).length).toBe(1);
  });

  it("takes back what has to be sent again", () => {
    const again = [
      ...events.slice(0, 6),
      { type: "sent", image, digest: first, bytes: -1_500_000 },
      ...events.slice(6),
    ] as PushEvent[];
    expect(written(again, 3000)).toContain("pushing: 1 of 3 blobs, 500 kB of 4.0 MB");
  });

  it("says when only tags were moved", () => {
    expect(written([{ type: "image", image, outcome: "tagged" }], 1)).toBe("tagged localhost:5000/team/app:v1\n");
  });

  it("sums up several images", () => {
    const other = imageOf(client, { repository: "team/other", layers: ["x"] });
    const streamed = { type: "blob", image: other, digest: first, size: 5_000_000, outcome: "streamed" } as PushEvent;
    const all = [...events, streamed, { type: "image", image: other, outcome: "pushed" } as PushEvent];
    expect(written(all, 1)).toBe(
      `${summary}pushed localhost:5000/team/other@${short(other.digest)}: 1 blob streamed (5.0 MB)\n` +
        "in all: 1 blob sent (4.0 MB), 1 streamed (5.0 MB), 1 mounted (500 B), 1 there already (7 B)\n",
    );
  });
});

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [99_600, "100 kB"],
    [999_600, "1.0 MB"],
    [3_221_225_472, "3.2 GB"],
    [5e15, "5000 TB"],
  ])("writes %d as %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe("formatTime", () => {
  it.each([
    [0, "1 s"],
    [1.2, "2 s"],
    [99, "99 s"],
    [100, "2 min"],
    [5999, "2 h"],
    [36_000, "10 h"],
  ])("writes %d seconds as %s", (seconds, text) => {
    expect(formatTime(seconds)).toBe(text);
  });
});
