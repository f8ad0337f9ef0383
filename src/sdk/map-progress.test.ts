import { PassThrough } from "node:stream";
import { expect, it, onTestFinished, vi } from "vitest";
import { MapProgress } from "./map-progress.ts";

function terminal(isTTY: boolean) {
  const stream = new PassThrough({ encoding: "utf8" });
  const text = () => String(stream.read() ?? "");
  return Object.assign(stream, { isTTY, columns: 40, text });
}

it("tells on one line of a terminal how far it is, and clears it for what functions print", () => {
  const output = terminal(true);
  const progress = new MapProgress("square", 3, output);
  progress.settled(true);
  progress.print(Buffer.from("printed\n"));
  progress.settled(false);
  progress.finish();
  const show = (text: string) => `\r\x1b[Kslipway: square: ${text}`;
  const begin = [show("0 of 3"), show("1 of 3"), "\r\x1b[Kprinted\n", show("1 of 3")];
  expect(output.text()).toBe([...begin, show("2 of 3, 1 failed"), "\r\x1b[K"].join(""));
});

it("tells every 10 s how far it is where there is no terminal", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const output = terminal(false);
  const progress = new MapProgress("square", 3, output);
  progress.settled(true);
  progress.print(Buffer.from("printed\n"));
  vi.advanceTimersByTime(9_999);
  expect(output.text()).toBe("printed\n");
  vi.advanceTimersByTime(1);
  progress.settled(false);
  vi.advanceTimersByTime(10_000);
  expect(output.text()).toBe("slipway: square: 1 of 3\nslipway: square: 2 of 3, 1 failed\n");
  progress.finish();
  vi.advanceTimersByTime(60_000);
  expect(output.text()).toBe("");
});
