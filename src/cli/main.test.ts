import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { Home } from "../credentials/testdata/home.ts";
import { run } from "./testdata/slipway.ts";

/** Runs a command in a home whose file of credentials is damaged. */
function slipway(...args: string[]) {
  const home = new Home();
  home.write("config/slipway/credentials.json", "{");
  return run(args, { env: { ...home.env, PATH: "/absent" }, cwd: home.folder });
}

describe("an error", () => {
  it.each<[string[], ErrorCode, string | RegExp]>([
    [["credentials", "list"], "file-invalid", /credentials\.json$/],
    [["credentials", "list", "--jsn"], "command-line-invalid", "jsn"],
    [["image", "tree", "a", "--depth", "0"], "command-line-invalid", "--depth"],
    [["service", "apply", "--time-limit", "0", "a.yaml"], "command-line-invalid", "--time-limit"],
    [["job", "diff", "a.yaml"], "lock-outdated", "a.lock.json"],
    [["model", "push", `iris@sha256:${"0".repeat(64)}`, "x"], "command-line-invalid", /^iris@/],
  ])("of %j is one line of JSON, if it is asked for", async (args, code, culprit) => {
    const { out, error: said, status } = await slipway(...args, "--json");
    expect(status).toBe(2);
    expect(out).toMatch(/^.+\n$/);
    const { error } = JSON.parse(out);
    expect(error).toEqual({
      code,
      culprit: expect.stringMatching(culprit),
      problem: expect.any(String),
      remedy: expect.any(String),
    });
    expect(said).toBe(`${error.problem}\n${error.remedy} [${code}]\n`);
  });

  it("is on stderr alone, if it is not asked for", async () => {
    expect(await slipway("credentials", "list")).toMatchObject({ status: 2, out: "" });
    // What follows -- is for a program.
    expect(await slipway("credentials", "list", "--", "--json")).toMatchObject({ status: 2, out: "" });
  });
});
