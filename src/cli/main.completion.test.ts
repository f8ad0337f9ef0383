import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const main = join(import.meta.dirname, "main.ts");

function slipway(args: readonly string[], env: Record<string, string> = {}): string {
  const words = ["--disable-warning=ExperimentalWarning", main, ...args];
  return execFileSync(process.execPath, words, { env: { PATH: process.env["PATH"], ...env }, encoding: "utf8" });
}

describe("slipway completion", () => {
  const complete = (...words: string[]) => slipway(["--get-yargs-completions", "slipway", ...words]).split("\n");

  it("knows commands, those below them, and options", () => {
    expect(complete("reg")).toContain("registry");
    expect(complete("registry", "")).toEqual(expect.arrayContaining(["ls", "status", "token"]));
    expect(complete("registry", "ls", "--")).toContain("--json");
  });

  it("prints the script of the shell that is asked for, else of that of SHELL, else bash", () => {
    expect(slipway(["completion"], { SHELL: "/bin/zsh" })).toMatch(/^#compdef slipway\n/);
    expect(slipway(["completion", "bash"], { SHELL: "/bin/zsh" })).toContain("complete -o");
    expect(slipway(["completion", "zsh"])).toMatch(/^#compdef slipway\n/);
    expect(slipway(["completion"])).toContain("complete -o");
  });

  it.runIf(existsSync("/bin/bash"))("prints what bash can read", () => {
    const script = slipway(["completion", "bash"]);
    expect(spawnSync("/bin/bash", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect(script).toContain("slipway --get-yargs-completions");
  });
});

it("slipway version prints what --version does, and as JSON Node's too", () => {
  expect(slipway(["version"])).toBe(slipway(["--version"]));
  expect(JSON.parse(slipway(["version", "--json"]))).toEqual({
    version: slipway(["--version"]).trim(),
    node: process.versions.node,
  });
});
