import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { GitAccess } from "./access.ts";
import { cloneCommit } from "./clone.ts";
import { resolveHead } from "./remote.ts";
import { folderOfTest, git, repositoryOfTest } from "./testdata/git-repository.ts";

const access: GitAccess = { protocols: ["https", "ssh", "file"] };

/** Clones into a folder of the test's own. */
async function cloneOf(url: string, commit: string, cache = folderOfTest()): Promise<string> {
  const folder = join(folderOfTest(), "clone");
  mkdirSync(folder);
  await cloneCommit(cache, { url, commit, folder }, access);
  return folder;
}

it("is what git takes for a clone, at a commit that is not the last", async () => {
  const repository = repositoryOfTest();
  repository.commit({ "old.txt": "zero" });
  const commit = repository.commit({ "a.txt": "one", "src/run.sh": "#!/bin/sh\n" }, "The one");
  repository.commit({ "a.txt": "two" });
  const folder = await cloneOf(repository.url, commit);
  expect(readdirSync(folder).sort()).toEqual([".git", "a.txt", "old.txt", "src"]);
  expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("one");
  expect(git(folder, "rev-parse", "HEAD")).toBe(commit);
  expect(git(folder, "log", "--format=%s")).toBe("The one");
  expect(git(folder, "status", "--porcelain")).toBe("");
  expect(git(folder, "remote", "get-url", "origin")).toBe(repository.url);
  git(folder, "fsck", "--strict");
});

it("is read-only, but can be moved", async () => {
  const repository = repositoryOfTest();
  const commit = repository.commit({ "a.txt": "one" });
  const folder = await cloneOf(repository.url, commit);
  const mode = (path: string) => statSync(join(folder, path)).mode & 0o777;
  expect([".", "a.txt", ".git", ".git/HEAD", ".git/config", ".git/objects/pack"].map(mode)).toEqual([
    0o755, 0o444, 0o555, 0o444, 0o444, 0o555,
  ]);
  renameSync(folder, `${folder}-moved`);
  expect(git(`${folder}-moved`, "status", "--porcelain")).toBe("");
  renameSync(`${folder}-moved`, folder);
});

it("has the files of submodules", async () => {
  const inner = repositoryOfTest();
  inner.commit({ "inner.txt": "in" });
  const outer = repositoryOfTest();
  git(outer.folder, "submodule", "--quiet", "add", inner.url, "parts/inner");
  const commit = outer.commit({ "outer.txt": "out" });
  const folder = await cloneOf(outer.url, commit);
  expect(readFileSync(join(folder, "parts/inner/inner.txt"), "utf8")).toBe("in");
  expect(git(folder, "ls-files").split("\n").sort()).toEqual([".gitmodules", "outer.txt", "parts/inner"]);
});

it("fetches a second commit from what there is of the first, and nothing a second time", async () => {
  const repository = repositoryOfTest();
  const cache = folderOfTest();
  const first = repository.commit({ "a.txt": "one" });
  await cloneOf(repository.url, first, cache);
  const second = repository.commit({ "a.txt": "two" });
  expect(git(await cloneOf(repository.url, second, cache), "rev-parse", "HEAD")).toBe(second);
  // Its server is gone.
  renameSync(repository.folder, `${repository.folder}-gone`);
  expect(git(await cloneOf(repository.url, first, cache), "rev-parse", "HEAD")).toBe(first);
  renameSync(`${repository.folder}-gone`, repository.folder);
});

it("asks which commit the main branch names", async () => {
  const repository = repositoryOfTest();
  await expect(resolveHead(repository.url, access)).rejects.toThrow(userErrorWith("git-not-found", repository.url));
  repository.commit({ "a.txt": "one" });
  git(repository.folder, "checkout", "--quiet", "-b", "trunk");
  const commit = repository.commit({ "a.txt": "two" });
  expect(await resolveHead(repository.url, access)).toBe(commit);
  const nowhere = join(folderOfTest(), "nowhere");
  await expect(resolveHead(`file://${nowhere}/repository`, access)).rejects.toThrow(/nowhere/);
  expect(existsSync(nowhere)).toBe(false);
});
