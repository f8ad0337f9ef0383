import { describe, expect, it } from "vitest";
import { UserError } from "../core/errors.ts";
import { toWire } from "../core/wire-error.ts";
import { revive } from "./remote-error.ts";

const container = { kind: "container", network: "none" } as const;

/** An error as it arrives from where it was thrown. */
function arrived(error: Error, ranIn: Parameters<typeof revive>[2]): Error {
  return revive(toWire(error), "a container of x", ranIn);
}

it("a UserError or Failure arrives with its code and culprit", () => {
  const error = new UserError({ code: "file-invalid", culprit: "a.csv:3" }, "It has no header.", "Add one.");
  expect(arrived(error, container)).toEqual(error);
});

describe("an error of a function in a container", () => {
  const lookup = Object.assign(new Error("getaddrinfo EAI_AGAIN r.io"), { code: "EAI_AGAIN" });
  const readOnly = Object.assign(new Error("EROFS: read-only file system, open '/x'"), { code: "EROFS" });

  it("names the option for a network, also where a fetch hides why", () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:80"), { code: "ECONNREFUSED" });
    for (const error of [lookup, refused, new TypeError("fetch failed", { cause: lookup })]) {
      const { message, stack } = arrived(error, container);
      expect(message).toMatch(/^.*\n.*`network: "host"`/);
      expect(stack).toMatch(/`network: "host"`.*\n {4}--- thrown in a container of x/);
    }
  });

  it("names the folders that can be written", () => {
    expect(arrived(readOnly, container).message).toMatch(/\n.*\/tmp.*\/home\/slipway/);
    expect(arrived(readOnly, { kind: "kubernetes", network: "none" }).message).toContain("/tmp");
  });

  it.each([
    ["a process", lookup, { kind: "process", network: "none" }],
    ["a process", readOnly, { kind: "process", network: "none" }],
    ["a container with a network", lookup, { kind: "container", network: "host" }],
    ["a pod", lookup, { kind: "kubernetes", network: "none" }],
    ["a container", new Error("else"), container],
  ] as const)("is as it was in %s: %s", (_, error, ranIn) => {
    expect(arrived(error, ranIn).message).toBe(error.message);
  });
});
