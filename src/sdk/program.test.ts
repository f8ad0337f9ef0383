import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { callVariable, nonceVariable } from "../engine/protocol.ts";
import { describeFunctions, run, start } from "./testdata/functions.ts";

describeFunctions({ env: {}, where: "a process of this machine" });

describe("a program without an image", () => {
  it("says so when containers are asked for", async () => {
    const { err, status } = await run("add", { SLIPWAY_ENGINE: "container" });
    expect(err).toContain("SLIPWAY_ENGINE=container: this program was started without an image.\n");
    expect(status).toBe(2);
  });
});

describe("a process that serves a function", () => {
  it("names the functions there are when asked for another", async () => {
    const child = start("", { [callVariable]: "subtract", [nonceVariable]: "n" });
    child.stdin.end("[]");
    const out = await text(child.stdout);
    expect(out).toContain('\\"subtract\\" is not a function of this program, which has add, fail,');
  });

  it("writes nothing but the marked line to standard output", async () => {
    const child = start("", { [callVariable]: "nothing", [nonceVariable]: "n" });
    child.stdin.end("[]");
    expect(await text(child.stdout)).toBe("\x1eslipway n {}\n");
  });
});
