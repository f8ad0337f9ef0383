import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { run } from "./testdata/slipway.ts";

const slipway = async (args: readonly string[], env: Record<string, string> = {}) => (await run(args, { env })).out;

describe("slipway completion", () => {
  const complete = async (...words: string[]) =>
    (await slipway(["--get-yargs-completions", "slipway", ...words])).split("\n");

  it("knows commands, those below them, and options", async () => {
    expect(await complete("reg")).toContain("registry");
    expect(await complete("registry", "")).toEqual(expect.arrayContaining(["ls", "status", "token"]));
    expect(await complete("registry", "ls", "--")).toContain("--json");
  });

  it("prints the script of the shell that is asked for, else of that of SHELL, else bash", async () => {
    expect(await slipway(["completion"], { SHELL: "/bin/zsh" })).toMatch(/^#compdef slipway\n/);
    expect(await slipway(["completion", "bash"], { SHELL: "/bin/zsh" })).toContain("complete -o");
    expect(await slipway(["completion", "zsh"])).toMatch(/^#compdef slipway\n/);
    expect(await slipway(["completion", "fish"], { SHELL: "/bin/zsh" })).toMatch(/^complete .*-c slipway/m);
    expect(await slipway(["completion"])).toContain("complete -o");
  });

  it.runIf(existsSync("/bin/bash"))("prints what bash can read", async () => {
    const script = await slipway(["completion", "bash"]);
    expect(spawnSync("/bin/bash", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
    expect(script).toContain("slipway --get-yargs-completions");
  });
});

it("has short names of options, and old names of commands that no help shows", async () => {
  expect(await slipway(["-V"])).toBe(await slipway(["--version"]));
  expect(await slipway(["-h"])).toBe(await slipway(["--help"]));
  const help = await slipway(["credentials", "-h"]);
  expect(help).toContain("slipway credentials ls ");
  expect(help).not.toContain("credentials list");
  expect(await slipway(["credentials", "list", "-h"])).toContain("--json");
});

it("slipway version prints what --version does, and as JSON Node's too", async () => {
  const version = await slipway(["--version"]);
  expect(await slipway(["version"])).toBe(version);
  const json = JSON.parse(await slipway(["version", "--json"]));
  expect(json).toEqual({ version: version.trim(), node: process.versions.node });
});
