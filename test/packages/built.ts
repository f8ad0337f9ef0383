import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync } from "node:fs";
import { join, resolve } from "node:path";
import { inherited } from "../e2e/environment.ts";

/** The one file of the release that a pattern names, among the inputs of this test. */
export function built(pattern: string): string {
  const found = globSync(join("tools/release", pattern));
  const [path] = found;
  if (!path || found.length > 1) throw new Error(`${pattern}: ${found.length} files of the release have such a name`);
  return resolve(path);
}

/** A new folder. */
export function emptyFolder(): string {
  const scratch = process.env["TEST_TMPDIR"];
  if (!scratch) throw new Error("These tests run by `tools/bazel test`, which gives them a folder.");
  return mkdtempSync(join(scratch, "package-"));
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end, without the variables that Bazel's test runner sets. */
export function run(words: readonly string[], { cwd, env = {} }: RunOptions) {
  const [program = "", ...args] = words;
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    env: {
      ...inherited(),
      HOME: cwd,
      PATH: process.env["PATH"] ?? "",
      XDG_STATE_HOME: join(cwd, "state"),
      ...env,
    },
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** Runs a command that must succeed, and gives its standard output. */
export function output(words: readonly string[], options: RunOptions): string {
  const { status, stdout, stderr } = run(words, options);
  if (status !== 0) throw new Error(`${words.join(" ")} ended with status ${status}:\n${stderr}${stdout}`);
  return stdout;
}
