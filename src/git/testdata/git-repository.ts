import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { onTestFinished } from "vitest";
import { removeTree } from "../tree.ts";

/** A folder of a test's own, gone when it ends. */
export function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), "slipway-jobs-"));
  onTestFinished(() => removeTree(folder));
  return folder;
}

/** Runs git as a person would who has no configuration. */
export function git(folder: string, ...args: string[]): string {
  const identity = { NAME: "Test", EMAIL: "test@example.com", DATE: "2026-01-01T00:00:00Z" };
  const variables = Object.entries(identity).flatMap(([name, value]) => [
    [`GIT_AUTHOR_${name}`, value],
    [`GIT_COMMITTER_${name}`, value],
  ]);
  return execFileSync("git", ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", ...args], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: folder, GIT_CONFIG_NOSYSTEM: "1", ...Object.fromEntries(variables) },
  }).trim();
}

/** A repository with a work tree, which is its own server. */
export interface TestRepository {
  readonly folder: string;
  /** `file://…` */
  readonly url: string;
  /** Writes files and commits everything; gives the commit's id. */
  commit(files: Readonly<Record<string, string>>, message?: string): string;
}

export function repositoryOfTest(folder = folderOfTest()): TestRepository {
  git(folder, "init", "--quiet");
  git(folder, "config", "uploadpack.allowAnySHA1InWant", "false");
  return {
    folder,
    url: pathToFileURL(folder).href,
    commit(files, message = "Change") {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        rmSync(join(folder, path), { force: true });
        writeFileSync(join(folder, path), content);
      }
      git(folder, "add", "--all");
      git(folder, "commit", "--quiet", "--allow-empty", "--message", message);
      return git(folder, "rev-parse", "HEAD");
    },
  };
}
