import { EventEmitter } from "node:events";
import { expect, it, vi } from "vitest";
import { failureWith, reported } from "../core/testdata/reported.ts";
import { HelperCalls, pullByHelper } from "./helper.ts";
import { batch } from "./testdata/batch.ts";

vi.mock("node:child_process", async (original) => ({
  ...(await original<typeof import("node:child_process")>()),
  // What Node gives when there are no descriptors left: a child without streams.
  spawn: () => {
    const child = new EventEmitter();
    process.nextTick(() => child.emit("error", Object.assign(new Error("spawn EMFILE"), { code: "EMFILE" })));
    return child;
  },
}));

it("says what to do when there are no descriptors left for the helper", async () => {
  const env = { SLIPWAY_ENGINE_HELPER: "/helper" };
  const listener = { onOutcome: () => {}, onOutput: () => {} };
  const run = new HelperCalls("kubernetes", env).run(batch, listener);
  await expect(run).rejects.toThrow(failureWith("program-failed", "/helper"));
  await expect(run).rejects.toThrow(/^\/helper cannot be started: spawn EMFILE\.\nRun fewer at once/);
  await expect(pullByHelper("a:1", env)).rejects.toThrow(reported("program-failed", "/helper"));
});
