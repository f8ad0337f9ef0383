import { EventEmitter } from "node:events";
import { beforeEach, expect, it, vi } from "vitest";
import { executable } from "../core/testdata/executable.ts";
import { runContainer } from "./run.ts";
import { emptyRun } from "./testdata/evaluate.ts";

const lacks = vi.hoisted(() => ({ descriptors: false, watches: false }));

vi.mock("node:child_process", async (original) => {
  const real = await original<typeof import("node:child_process")>();
  const spawn = (...words: Parameters<typeof real.spawn>) => {
    if (!lacks.descriptors) return real.spawn(...words);
    // What Node gives then: a child without streams.
    const child = new EventEmitter();
    process.nextTick(() => child.emit("error", new Error("spawn EMFILE")));
    return child;
  };
  return { ...real, spawn };
});

vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const watch = (...words: Parameters<typeof real.watch>) => {
    if (lacks.watches) throw new Error("EMFILE: too many open files, watch");
    return real.watch(...words);
  };
  return { ...real, watch };
});

beforeEach(() => void Object.assign(lacks, { descriptors: false, watches: false }));

/** A run by a client that ends with status 5. */
function run(onCreated?: () => void): Promise<number> {
  const path = executable("podman", "#!/bin/sh\nexit 5\n");
  return runContainer({ name: "podman", path }, emptyRun, onCreated ? { onCreated } : {});
}

it("says what to do when there are no descriptors left for one more", async () => {
  lacks.descriptors = true;
  await expect(run()).rejects.toThrow(/EMFILE\nRun fewer at once/);
});

it("runs though nothing more can be watched", async () => {
  lacks.watches = true;
  expect(await run(() => {})).toBe(5);
});
