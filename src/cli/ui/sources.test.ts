import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startTimeOf } from "../../core/processes.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { runIds } from "../../runs/read.ts";
import { RunRecord } from "../../runs/record.ts";
import type { LiveMessages } from "./messages.ts";
import { answerSources, liveSources } from "./sources.ts";

/** A run of a process that goes on. */
function place() {
  const env = { XDG_STATE_HOME: mkdtempSync(join(tmpdir(), "sources-")) };
  const program = spawn("sleep", ["100"]);
  onTestFinished(() => void program.kill());
  const began = startTimeOf(program.pid ?? 0) ?? "";
  const start = { version: 1, program: "//a:b", arguments: 0, engine: "process", images: [] } as const;
  const record = new RunRecord(env, { ...start, process: program.pid ?? 0, began }, (text) => {
    throw new Error(text);
  });
  record.add({ batch: { id: "f", name: "f", after: [], items: 2, isMap: true } });
  const [id = ""] = runIds(env);
  const { signal } = new AbortController();
  const sources = liveSources(env);
  const run = sources["run"](id, signal) as AsyncIterable<LiveMessages["run"]>;
  const runs = sources["runs"]("", signal) as AsyncIterable<LiveMessages["runs"]>;
  return { env, program, record, run, runs: runs[Symbol.asyncIterator](), sources };
}

it("gives the events of a run as they come, until it ends", async () => {
  const { record, run } = place();
  const states: string[] = [];
  for await (const { events, isAlive } of run) {
    expect(isAlive).toBe(true);
    for (const event of events) states.push(...Object.keys(event).filter((key) => key !== "at"));
    if (states.length === 2) record.add({ item: { batch: "f", index: 0, state: "kept" } });
    if (states.length === 3) record.end(0);
  }
  expect(states).toEqual(["run", "batch", "item", "end"]);
});

it("gives no more than some thousand events at once", async () => {
  const { record, run } = place();
  for (let count = 0; count < 12_000; count++) record.add({ item: { batch: "f", index: 0, state: "running" } });
  record.end(0);
  const sizes: number[] = [];
  for await (const { events } of run) sizes.push(events.length);
  expect(sizes).toEqual([5000, 5000, 2003]);
});

it("sees that a program was killed, in the run and in the list", async () => {
  const { program, run, runs } = place();
  const line = async () => (await runs.next()).value?.runs[0];
  expect(await line()).toMatchObject({ state: "running", counts: { waiting: 2, done: 0 } });
  let last: boolean | undefined;
  for await (const { isAlive } of run) {
    if (isAlive) {
      program.kill();
      await once(program, "exit");
    }
    last = isAlive;
  }
  expect(last).toBe(false);
  expect(await line()).toMatchObject({ state: "killed", ended: expect.any(Number) });
});

it("says that a run is not there", async () => {
  const { sources } = place();
  for (const id of ["20200101T000000000Z-00000000", "../secrets", ""]) {
    const { signal } = new AbortController();
    await expect(sources["run"](id, signal)[Symbol.asyncIterator]().next()).rejects.toThrow(
      userErrorWith("run-not-found", id),
    );
  }
});

it("asks no registry but those that the user's runs name, or that the user wrote into a form", async () => {
  const asked: string[] = [];
  const registry = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void registry.close());
  await once(registry, "listening");
  const host = `localhost:${(registry.address() as AddressInfo).port}`;
  const env = { XDG_STATE_HOME: mkdtempSync(join(tmpdir(), "sources-")) };
  const words = new URLSearchParams({ name: `${host}/a:b`, one: `${host}/a:b`, other: `${host}/a:b` });
  const { answers } = answerSources(env);
  for (const name of ["image", "tree", "diff"] as const) {
    await expect(answers[name](words)).rejects.toThrow(userErrorWith("registry-unasked", host));
  }
  expect(asked).toEqual([]);

  const start = {
    version: 1,
    program: "//a:b",
    arguments: 0,
    engine: "process",
    images: [`${host}/other@sha256:${"0".repeat(64)}`],
  } as const;
  new RunRecord(env, { ...start, process: process.pid, began: "" }, () => {}).end(0);
  await expect(answers.image(words)).rejects.toThrow(userErrorWith("image-not-found", `${host}/a:b`));
  expect(asked.length).toBeGreaterThan(0);

  asked.length = 0;
  const fresh = answerSources({ XDG_STATE_HOME: mkdtempSync(join(tmpdir(), "sources-")) });
  await fresh.actions.registries(words);
  await expect(fresh.answers.image(words)).rejects.toThrow(userErrorWith("image-not-found", `${host}/a:b`));
  expect(asked.length).toBeGreaterThan(0);
});

it("reads the files of one image at a time, or of two that are compared", async () => {
  const open = new Set<ServerResponse>();
  let most = 0;
  const registry = createServer((_request, response) => {
    open.add(response);
    most = Math.max(most, open.size);
    // Time for another reader to ask, too.
    setTimeout(() => {
      open.delete(response);
      response.writeHead(404).end();
    }, 50);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void registry.close());
  await once(registry, "listening");
  const host = `localhost:${(registry.address() as AddressInfo).port}`;
  const { answers, actions } = answerSources({ XDG_STATE_HOME: mkdtempSync(join(tmpdir(), "sources-")) });
  const words = new URLSearchParams({ name: `${host}/a:b`, one: `${host}/a:b`, other: `${host}/a:b` });
  await actions.registries(words);
  const asked = [answers.tree(words), answers.diff(words), answers.tree(words), answers.diff(words)];
  const states = await Promise.allSettled(asked);
  expect(states.map(({ status }) => status)).toEqual(Array(4).fill("rejected"));
  expect(most).toBe(1);
});
