import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { Home } from "../credentials/testdata/home.ts";

function slipway(home: Home, ...args: string[]) {
  const program = ["--disable-warning=ExperimentalWarning", join(import.meta.dirname, "main.ts"), ...args];
  const env = { ...home.env, PATH: "/absent" };
  const { stdout, stderr, status } = spawnSync(process.execPath, program, { env, cwd: home.folder, encoding: "utf8" });
  return { stdout, stderr, status };
}

/** A home whose file of credentials is damaged. */
function damaged(): Home {
  const home = new Home();
  home.write("config/slipway/credentials.json", "{");
  return home;
}

describe("an error", () => {
  it.each<[string[], ErrorCode, string | RegExp]>([
    [["credentials", "list"], "file-invalid", /credentials\.json$/],
    [["credentials", "list", "--jsn"], "command-line-invalid", "jsn"],
    [["image", "tree", "a", "--depth", "0"], "command-line-invalid", "--depth"],
    [["service", "apply", "--time-limit", "0", "a.yaml"], "command-line-invalid", "--time-limit"],
    [["job", "diff", "a.yaml"], "lock-outdated", "a.lock.json"],
    [["model", "push", `iris@sha256:${"0".repeat(64)}`, "x"], "command-line-invalid", /^iris@/],
  ])("of %j is one line of JSON, if it is asked for", (args, code, culprit) => {
    const { stdout, stderr, status } = slipway(damaged(), ...args, "--json");
    expect(status).toBe(2);
    expect(stdout).toMatch(/^.+\n$/);
    const { error } = JSON.parse(stdout);
    expect(error).toEqual({
      code,
      culprit: culprit instanceof RegExp ? expect.stringMatching(culprit) : culprit,
      problem: expect.any(String),
      remedy: expect.any(String),
    });
    expect(stderr).toBe(`${error.problem}\n${error.remedy} [${code}]\n`);
  });

  it("is on stderr alone, if it is not asked for", () => {
    expect(slipway(damaged(), "credentials", "list")).toMatchObject({ status: 2, stdout: "" });
    // What follows -- is for a program.
    const ofProgram = slipway(damaged(), "credentials", "list", "--", "--json");
    expect(ofProgram).toMatchObject({ status: 2, stdout: "" });
  });
});
