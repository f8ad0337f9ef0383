import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { helperOfTest } from "../functions/testdata/helper.ts";
import { readRun, runIds } from "../runs/read.ts";

async function run(scenario: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["src/sdk/testdata/steps.ts", scenario], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], SLIPWAY_ENGINE_HELPER: helperOfTest(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { out, err, status };
}

describe("a call that takes the results of others", () => {
  it("gets them, at any depth", async () => {
    const { out, err, status } = await run("graph");
    expect(JSON.parse(JSON.parse(out)), err).toEqual([{ value: 8 }, { value: null }, { value: 7 }]);
    expect(status).toBe(0);
    expect((await run("mapped")).out).toBe("[4,10,12]\n");
  });

  it("runs side by side with those that take nothing of it", async () => {
    const { out } = await run("together", { MARKS: mkdtempSync(join(tmpdir(), "steps-")) });
    expect(JSON.parse(JSON.parse(out))).toEqual([{ value: "met" }, { value: "met" }]);
  });

  it("does not run when one of them failed, and has its error", async () => {
    const { out, err, status } = await run("failing");
    expect({ out, status }).toEqual({ out: "", status: 1 });
    expect(err).toMatch(/^Error: the tide is out$/m);
    expect(err.match(/the tide is out/g)).toHaveLength(1);
    expect(err).not.toContain("sum");
  });
});

describe("what a program writes down", () => {
  it("is the graph of what ran with the beginning of results, and not its arguments or variables", async () => {
    const home = mkdtempSync(join(tmpdir(), "runs-"));
    const env = { XDG_STATE_HOME: home, SLIPWAY_TARGET: "//tide:main", SECRET: "hunter2" };
    const { out } = await run("graph", env);
    const [id = ""] = runIds(env);
    const recorded = readRun(id, env);
    expect(recorded).toMatchObject({ program: "//tide:main", state: "done", engine: "process", arguments: 1 });
    const dry = await run("graph", { SLIPWAY_DRY_RUN: "steps" });
    const graph = new Set(
      dry.out
        .trim()
        .split("\n")
        .map((line) => line.replace(/^would run | \(.*?\)/g, "")),
    );
    const ran = recorded?.batches.map(({ id, after }) => [id, after.join(", ")].filter(Boolean).join(" after "));
    expect(new Set(ran)).toEqual(graph);
    expect(recorded?.batches.flatMap(({ calls }) => calls.map(({ state }) => state))).toEqual(Array(9).fill("done"));
    const text = readFileSync(join(home, `slipway/runs/${id}.jsonl`), "utf8");
    for (const secret of ["hunter2", "graph"]) expect(text).not.toContain(secret);
    const results = Object.fromEntries(recorded?.batches.map(({ id, calls }) => [id, calls[0]?.result]) ?? []);
    expect(results).toMatchObject({ load: "[0,1,2]", sum: "8", describe: out.trim() });
    expect(results["nothing"]).toBeUndefined();
    await run("inside", env);
    expect(runIds(env)).toHaveLength(2);
  });

  it("is why it failed, and nothing of a program that calls no function", async () => {
    const env = { XDG_STATE_HOME: mkdtempSync(join(tmpdir(), "runs-")) };
    await run("failing", env);
    const [id = ""] = runIds(env);
    const recorded = readRun(id, env);
    expect(recorded).toMatchObject({ state: "failed", status: 1 });
    const failed = recorded?.batches.find(({ name }) => name === "fail");
    expect(failed?.calls).toMatchObject([{ state: "failed", error: "Error: the tide is out" }]);
    await run("none", env);
    expect(runIds(env)).toHaveLength(1);
  });
});

describe("a dry run for the steps", () => {
  const env = { SLIPWAY_DRY_RUN: "steps" };

  it("prints the graph, and runs nothing", async () => {
    expect(await run("graph", env)).toEqual({
      out: [
        "would run load",
        "would run double after load",
        "would run load-2",
        "would run double-2 after load-2",
        "would run sum after double, double-2",
        "would run nothing",
        "would run describe after sum, nothing",
        "",
      ].join("\n"),
      err: expect.stringContaining("waits for describe."),
      status: 0,
    });
    const { out } = await run("mapped", env);
    expect(out).toBe("would run load\nwould run double\nwould run double-2 (3 items) after load, double\n");
  });

  it("ends where the program needs a result", async () => {
    expect(await run("inside", env)).toEqual({
      out: "before\nwould run load\n",
      err: expect.stringContaining("waits for load."),
      status: 0,
    });
  });
});
