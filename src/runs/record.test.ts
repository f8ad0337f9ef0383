import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startTimeOf } from "../core/processes.ts";
import { maximumFile, maximumRuns, type RunStart } from "./events.ts";
import { readRun, runIds } from "./read.ts";
import { commitOf, RunRecord } from "./record.ts";

const start: RunStart = {
  version: 1,
  program: "//train:main",
  arguments: 2,
  engine: "container",
  images: [`r.example.com/train@sha256:${"0".repeat(64)}`],
  process: process.pid,
  began: startTimeOf(process.pid) ?? "",
};
const batch = { id: "square", name: "square", after: ["load"], items: 3, isMap: true };

function place() {
  const env = { XDG_STATE_HOME: mkdtempSync(join(tmpdir(), "runs-")) };
  const notices: string[] = [];
  const begin = () => new RunRecord(env, start, (text) => notices.push(text));
  return { env, notices, begin, folder: join(env.XDG_STATE_HOME, "slipway/runs") };
}

it("gives back what happened, while it happens and afterwards", async () => {
  const { env, begin, notices } = place();
  const record = begin();
  record.add({ batch });
  record.add({ item: { batch: "square", index: 0, state: "running", where: "pod-0 on node" } });
  record.add({ item: { batch: "square", index: 0, state: "failed", error: "TideError: no" } });
  record.add({ item: { batch: "square", index: 1, state: "kept" } });
  record.add({ output: { batch: "square", text: "ebb\n" } });
  const [id = ""] = runIds(env);
  const known = {
    ...{ id, state: "running", program: "//train:main", arguments: 2, engine: "container", isCut: false },
    batches: [
      {
        ...batch,
        calls: [
          { index: 0, state: "failed", where: "pod-0 on node", error: "TideError: no", started: expect.any(Number) },
          { index: 1, state: "kept" },
          { index: 2, state: "waiting" },
        ],
      },
    ],
    output: [{ batch: "square", text: "ebb\n" }],
  };
  await expect.poll(() => readRun(id, env)).toMatchObject(known);
  record.end(1);
  record.add({ output: { batch: "square", text: "late\n" } });
  expect(readRun(id, env)).toMatchObject({ ...known, state: "failed", status: 1, ended: expect.any(Number) });
  expect(notices).toEqual([]);
});

it("is for its user alone", () => {
  const { begin, folder } = place();
  begin().end(0);
  const [name = ""] = readdirSync(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
});

it("stops before a file is too large, and still says how the run ended", () => {
  const { env, begin, folder } = place();
  const record = begin();
  record.add({ batch: { ...batch, items: 300_000 } });
  const error = "x".repeat(400);
  for (let index = 0; index < 60_000; index++) record.add({ item: { batch: "square", index, state: "failed", error } });
  record.end(0);
  const [id = ""] = runIds(env);
  expect(statSync(join(folder, `${id}.jsonl`)).size).toBeLessThan(maximumFile);
  expect(readRun(id, env)).toMatchObject({ state: "done", isCut: true });
});

it("removes the oldest runs", () => {
  const { env, begin, folder } = place();
  mkdirSync(folder, { recursive: true });
  const old = Array.from(
    { length: maximumRuns + 50 },
    (_, age) => `20200101T${String(age).padStart(6, "0")}Z-00000000`,
  );
  for (const name of old) writeFileSync(join(folder, `${name}.jsonl`), "");
  begin();
  expect(runIds(env)).toHaveLength(maximumRuns);
  expect(runIds(env)[0]).toBe(old[51]);
});

it("does nothing where no file can be made", () => {
  const { env, begin, notices } = place();
  writeFileSync(join(env.XDG_STATE_HOME, "slipway"), "");
  const record = begin();
  record.add({ batch });
  record.end(0);
  expect(notices).toEqual([]);
  expect(runIds(env)).toEqual([]);
});

it("knows the commit of a workspace, loose and packed, and none where there is none", () => {
  const workspace = mkdtempSync(join(tmpdir(), "commit-"));
  expect(commitOf(undefined)).toBeUndefined();
  expect(commitOf(workspace)).toBeUndefined();
  const git = (...words: string[]) =>
    execFileSync("git", ["-C", workspace, "-c", "user.name=a", "-c", "user.email=a@b.c", ...words], {
      encoding: "utf8",
    });
  git("init", "--quiet");
  expect(commitOf(workspace)).toBeUndefined();
  git("commit", "--quiet", "--allow-empty", "-m", "one");
  const commit = git("rev-parse", "HEAD").trim();
  expect(commitOf(workspace)).toBe(commit);
  git("pack-refs", "--all");
  expect(commitOf(workspace)).toBe(commit);
  git("checkout", "--quiet", "--detach");
  expect(commitOf(workspace)).toBe(commit);
});
