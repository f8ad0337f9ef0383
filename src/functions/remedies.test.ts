import { describe, expect, it } from "vitest";
import { toWire } from "../core/wire-error.ts";
import { errorOf, type RanIn } from "./remedies.ts";

const container: RanIn = { name: "f", kind: "container", image: "x", network: "none", memory: undefined };
const arrived = (error: Error, ranIn: RanIn) => errorOf({ error: toWire(error) }, ranIn);

describe("an error of a function in a container", () => {
  const lookup = Object.assign(new Error("getaddrinfo EAI_AGAIN r.io"), { code: "EAI_AGAIN" });
  const readOnly = Object.assign(new Error("EROFS: read-only file system, open '/x'"), { code: "EROFS" });

  it("names the option for a network, also where a fetch hides why", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:80"), { code: "ECONNREFUSED" });
    for (const error of [lookup, refused, new TypeError("fetch failed", { cause: lookup })]) {
      const { where, remedy } = arrived(error, container) ?? {};
      expect(where).toBe("a container of x");
      expect(remedy).toContain('`network: "host"`');
    }
  });

  it("names the folders that can be written", () => {
    expect(arrived(readOnly, container)?.remedy).toMatch(/\/tmp.*\/home\/slipway/);
    expect(arrived(readOnly, { ...container, kind: "kubernetes" })?.remedy).toContain("/tmp");
  });

  it.each([
    ["a process", lookup, { kind: "process" }],
    ["a process", readOnly, { kind: "process" }],
    ["a container with a network", lookup, { network: "host" }],
    ["a pod", lookup, { kind: "kubernetes" }],
    ["a container", new Error("else"), {}],
  ] as const)("is as it was in %s: %s", (_, error, more) => {
    expect(arrived(error, { ...container, ...more })).not.toHaveProperty("remedy");
  });
});

it("the end of a worker says what the function had, and what to do", () => {
  const ended = (status: number, more: Partial<RanIn> = {}) => errorOf({ end: { status } }, { ...container, ...more });
  expect(ended(7)).toMatchObject({ name: "Failure", code: "function-failed", culprit: "f" });
  expect(ended(137, { memory: 4096 })?.message).toContain("`resources.memory` of 4096 bytes");
  expect(ended(137)?.message).toContain("`parallelism`");
  expect(ended(0)?.message).toContain("must call main");
  expect(ended(0, { name: "main()" })).toBeUndefined();
  const reason = { problem: "It was evicted.", remedy: "Wait." };
  expect(errorOf({ end: { status: 1, reason } }, container)?.message).toMatch(/It was evicted\.\nWait\.$/);
});
