import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import { commandLine } from "./testdata/slipway.ts";

const command = [...commandLine, "secret"];

/** A user with a home of the test's own, whose services are containers. */
function user() {
  const home = mkdtempSync(join(tmpdir(), "slipway-secret-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const env = { HOME: home, PATH: process.env["PATH"] ?? "", SLIPWAY_ENGINE: "container" };
  const folder = join(home, ".local/state/slipway/secrets");
  const run = ([program = "", ...args]: readonly string[], input: string, more: object = {}) => {
    const options = { cwd: home, env: { ...env, ...more }, encoding: "utf8", input } as const;
    const { stdout, stderr, status } = spawnSync(program, args, options);
    return { out: stdout, error: stderr, status };
  };
  const secret = (args: readonly string[], input = "", more = {}) => run([...command, ...args], input, more);
  return { home, folder, run, secret };
}

it("sets a secret from standard input or a file, lists it without its value, and removes it", () => {
  const { home, folder, secret } = user();
  expect(secret(["ls"])).toEqual({ out: "", error: `There are no secrets in ${folder}.\n`, status: 0 });
  const set = `Set git-token in ${folder}.\n`;
  expect(secret(["set", "git-token"], "hunter2\n")).toEqual({ out: "", error: set, status: 0 });
  expect(readFileSync(join(folder, "git-token"), "utf8")).toBe("hunter2");
  writeFileSync(join(home, "key"), "hunter3\r\n");
  expect(secret(["set", "key", "--file", "key"], "not this")).toMatchObject({ status: 0 });
  expect(readFileSync(join(folder, "key"), "utf8")).toBe("hunter3");

  const listed = secret(["ls"]);
  expect(listed.out).toMatch(
    new RegExp(`^git-token {2}\\S+Z {2}${folder}/git-token\nkey {8}\\S+Z {2}${folder}/key\n$`),
  );
  const json = secret(["ls", "--json"]);
  expect(JSON.parse(json.out)).toMatchObject([{ name: "git-token" }, { name: "key" }]);
  expect(JSON.stringify([listed, json])).not.toMatch(/hunter/);

  expect(secret(["rm", "git-token", "no"])).toMatchObject({ status: 2, error: printed("secret-not-found", " no ") });
  expect(secret(["rm", "git-token", "key"])).toMatchObject({ status: 0 });
  expect(readdirSync(folder)).toEqual([]);
});

it("does not show what a person types", () => {
  const { folder, run } = user();
  const typed = run(["script", "-qec", [...command, "set", "token"].join(" "), "/dev/null"], "hunter2\r");
  expect(typed).toMatchObject({ status: 0, error: "" });
  expect(typed.out).toContain("Value (it is not shown): ");
  // What the terminal itself shows comes before anybody could tell it not to: input that was typed ahead.
  expect(typed.out.split("Value (it is not shown): ")[1]).not.toContain("hunter2");
  expect(readFileSync(join(folder, "token"), "utf8")).toBe("hunter2");
});

it("refuses mistakes, and shows none of them", () => {
  const { home, folder, secret } = user();
  for (const [args, input, code] of [
    [["set", "hunter2!"], "x", "command-line-invalid"],
    [["set", "a"], "", "file-invalid"],
    [["set", "a"], "x".repeat(100_000), "file-invalid"],
    [["set", "a", "--file", "none"], "", "file-unreadable"],
    [["set", "a", "--file", "."], "", "file-unreadable"],
    [["rm", "../a"], "", "command-line-invalid"],
  ] as const) {
    const outcome = secret(args, input);
    expect(outcome).toEqual({ out: "", error: printed(code), status: 2 });
    expect(outcome.error).not.toMatch(/hunter/);
  }
  expect(secret(["ls"], "", { SLIPWAY_ENGINE: "process" })).toEqual({
    out: "",
    error: printed("variable-invalid", "SLIPWAY_ENGINE=process"),
    status: 2,
  });
  expect(readdirSync(home)).toEqual([]);
  expect(() => readdirSync(folder)).toThrow();
});
