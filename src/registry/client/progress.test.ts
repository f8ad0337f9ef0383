import { describe, expect, it } from "vitest";
import type { RegistryClient } from "./client.ts";
import { formatBytes, PushProgress } from "./progress.ts";
import type { PushEvent } from "./push.ts";
import { imageOf } from "./testdata/images.ts";

const client = { registry: "localhost:5000" } as RegistryClient;
const image = imageOf(client, { repository: "team/app", tags: ["v1"], layers: ["x"] });
const { digest } = image;

const events: PushEvent[] = [
  { type: "checked", image, blobs: 3 },
  { type: "blob", image, digest, size: 7, outcome: "present" },
  { type: "sending", image, digest, size: 4_000_000 },
  { type: "sending", image, digest, size: 500 },
  { type: "sent", bytes: 1_000_000 },
  { type: "sent", bytes: 3_000_000 },
  { type: "blob", image, digest, size: 500, outcome: "mounted" },
  { type: "blob", image, digest, size: 4_000_000, outcome: "uploaded" },
  { type: "image", image, outcome: "pushed" },
];

/** What is written when every event comes so many milliseconds after the last one. */
function written(list: PushEvent[], every: number, columns?: number): string {
  let text = "";
  let now = 0;
  const progress = new PushProgress({ write: (part) => (text += part), columns, now: () => (now += every) });
  for (const event of list) progress.onEvent(event);
  progress.finish();
  return text;
}

const summary = "pushed localhost:5000/team/app:v1: 1 blob sent (4.0 MB), 1 mounted, 1 there already\n";

describe("PushProgress", () => {
  it("says nothing when nothing was moved", () => {
    expect(written([{ type: "image", image, outcome: "unchanged" }], 1000, 80)).toBe("");
  });

  it("writes whole lines where there is no terminal, and one only when it is quick", () => {
    expect(written(events, 1)).toBe(summary);
    expect(written(events, 3000)).toBe(`pushing: 1 of 3 blobs, 4.0 MB of 4.0 MB, 333 kB/s\n${summary}`);
  });

  it("redraws one line on a terminal and removes it in the end", () => {
    const text = written(events, 150, 80);
    expect(text).toContain("\rpushing: 1 of 3 blobs, 1.0 MB of 4.0 MB");
    expect(text.endsWith(`\r\u001b[K${summary}`)).toBe(true);
    expect(text.split("\n").length).toBe(2);
  });

  it("never fills a terminal's last column, which would make a second line", () => {
    for (const line of written(events, 150, 20).split("\r").slice(1, -1)) {
      expect(line.replace("\u001b[K", "").length).toBeLessThan(20);
    }
  });

  it("says when only tags were moved", () => {
    expect(written([{ type: "image", image, outcome: "tagged" }], 1)).toBe("tagged localhost:5000/team/app:v1\n");
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
