import { expect, it } from "vitest";
import type { RegistryClient } from "./client.ts";
import { JsonProgress } from "./json-progress.ts";
import { imageOf } from "./testdata/images.ts";

it("a report for programs says at most once a second how far a blob is", () => {
  const image = imageOf({ registry: "r:5000" } as RegistryClient, { repository: "a", layers: ["x"] });
  const { digest } = image;
  const said: string[] = [];
  let now = 0;
  const report = new JsonProgress(
    (text) => said.push(text),
    () => now,
  );
  report.onEvent({ type: "sending", image, digest, size: 100 });
  for (let at = 0; at < 30; at++) {
    now += 100;
    report.onEvent({ type: "sent", image, digest, bytes: at === 15 ? -10 : 2 });
  }
  const sent = said.slice(1).map((line) => JSON.parse(line));
  expect(sent.map((line) => line.sent)).toEqual([20, 28, 48]);
  expect(sent[0]).toEqual({ event: "sent", image: "r:5000/a", digest, sent: 20, size: 100 });
});
