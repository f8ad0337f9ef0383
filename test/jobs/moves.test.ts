import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest, git, repositoryOfTest } from "../../src/git/testdata/git-repository.ts";
import { gitServerOfTest } from "../../src/git/testdata/git-server.ts";
import { Machine } from "./machine.ts";

const own = { ServerAvailableInterpreter: { interpreter_path: "SLIPWAY_INTERPRETER" } };

/** A git server with one repository. */
async function gitHost() {
  const root = folderOfTest();
  git(root, "init", "--quiet", "app.git");
  const repository = repositoryOfTest(join(root, "app.git"));
  const server = await gitServerOfTest(root);
  return { repository, repo_url: `${server.url}/app.git/.git`, env: { GIT_SSL_CAINFO: server.certificate } };
}

it("a tag that moved between resolving and running: the image that was resolved runs", async () => {
  const machine = new Machine();
  const first = await machine.run("test/jobs/python_push", []);
  const [, repository = ""] = /^(.*)@sha256/.exec(first.out) ?? [];
  const interpreter = { ContainerAtTag: { repository, tag: "3.11" } };
  const command = ["python", "-c", "import os; print(os.environ['EDITION'])"];
  machine.write({ "job.json": JSON.stringify({ interpreter, command }) });
  expect(await machine.slipway(["job", "resolve", "job.json"])).toMatchObject({ out: "job.lock.json\n", status: 0 });

  const second = await machine.run("test/jobs/python_moved_push", []);
  expect(second.out).not.toBe(first.out);
  const [before, after] = [first, second].map(({ out }) => out.trim().split("@")[1]);
  expect(await machine.slipway(["job", "diff", "--exit-code", "job.json"])).toMatchObject({
    out: `interpreter.ContainerAtDigest.digest (tag 3.11): "${before}" -> "${after}"\n`,
    status: 1,
  });
  expect(await machine.slipway(["job", "run", "job.json"])).toMatchObject({ out: "first\n", status: 0 });
  expect(await machine.slipway(["job", "resolve", "job.json"])).toMatchObject({ status: 0 });
  expect(await machine.slipway(["job", "run", "job.json"])).toMatchObject({ out: "moved\n", status: 0 });
}, 300_000);

it("a branch that moved, by force too: the commit that was resolved runs while it can be had, and else is named", async () => {
  const { repository, repo_url, env } = await gitHost();
  const machine = new Machine(env);
  const module = (edition: string) => ({ "which.mjs": `export default () => ${JSON.stringify(edition)};\n` });
  const lost = repository.commit(module("first"));
  machine.write({
    "job.json": JSON.stringify({
      interpreter: own,
      code: { GitRepoBranch: { repo_url } },
      function: "which.mjs",
    }),
  });
  expect(await machine.slipway(["job", "resolve", "job.json"])).toMatchObject({ status: 0 });
  expect(await machine.slipway(["job", "run", "job.json"])).toMatchObject({ out: '"first"\n', status: 0 });

  // Another history, in which the commit never was.
  git(repository.folder, "checkout", "--quiet", "--orphan", "other");
  const tip = repository.commit(module("second"));
  git(repository.folder, "branch", "--force", "main", tip);
  git(repository.folder, "reflog", "expire", "--expire=now", "--all");
  git(repository.folder, "gc", "--quiet", "--prune=now");
  expect(await machine.slipway(["job", "diff", "job.json"])).toMatchObject({
    out: `code.GitRepoCommit.commit (branch main): "${lost}" -> "${tip}"\n`,
    status: 0,
  });
  expect(await machine.slipway(["job", "run", "job.json"])).toMatchObject({ out: '"first"\n', status: 0 });

  // Somebody who does not have it.
  const other = new Machine(env);
  other.write({
    "lost.json": JSON.stringify({
      interpreter: own,
      code: { GitRepoCommit: { repo_url, commit: lost } },
      function: "which.mjs",
    }),
  });
  expect(await other.slipway(["job", "run", "lost.json"])).toMatchObject({
    out: "",
    error: expect.stringMatching(new RegExp(`${lost}.*\\[git-not-found\\]`, "s")),
    status: 2,
  });
}, 300_000);
