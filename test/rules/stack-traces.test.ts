import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { helperOfTest } from "../../src/functions/testdata/helper.ts";

const folder = join(process.env["RUNFILES_DIR"] ?? "", "_main/test/rules");

/** The frames that a program printed, without those of Node. */
function frames(program: string): string[] {
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], SLIPWAY_ENGINE_HELPER: helperOfTest() };
  const { status, stderr } = spawnSync(join(folder, program), { env, encoding: "utf8" });
  expect(status).toBe(1);
  return stderr
    .split("\n")
    .filter((line) => /^\S|^ {4}(at|---) /.test(line) && !/ \(?node:|^Node\.js |Promise\.all/.test(line));
}

describe("the stack trace of a TypeScript program", () => {
  it("that Node prints names the sources by their path in the workspace", () => {
    expect(frames("alone")).toEqual([
      "workspace:/test/rules/throwing/lib/tide.ts:6",
      "RangeError: too deep: 3",
      "    at check (test/rules/throwing/lib/tide.ts:6:29)",
      "    at test/rules/throwing/alone.ts:6:1",
    ]);
  });

  it("has the function's frames and the caller's, and none of the SDK", () => {
    expect(frames("calling")).toEqual([
      "RangeError: too deep: 3",
      "    at check (test/rules/throwing/lib/tide.ts:6:29)",
      "    at test/rules/throwing/calling.ts:5:10",
      "    --- thrown in a process of this machine, called here ---",
      "    at measure (test/rules/throwing/calling.ts:9:16)",
      "    at test/rules/throwing/calling.ts:13:9",
      "    at test/rules/throwing/calling.ts:12:7",
    ]);
  });

  it("comes from a map that says nothing of the machine or the configuration", () => {
    const map = JSON.parse(readFileSync(join(folder, "alone.mjs.map"), "utf8"));
    const sources = map.sources.map((source: string) => new URL(map.sourceRoot + source).href);
    expect(sources).toEqual([
      "workspace:/src/sdk/stack-trace.ts",
      "workspace:/test/rules/throwing/lib/tide.ts",
      "workspace:/test/rules/throwing/alone.ts",
    ]);
  });
});
