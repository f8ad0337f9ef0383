import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { printed } from "../core/testdata/reported.ts";
import { RunRecord } from "../runs/record.ts";
import { run } from "./testdata/slipway.ts";

it("lists and shows what programs did", { timeout: 120_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), "runs-"));
  const env = { HOME: home, XDG_STATE_HOME: home };
  const slipway = (...words: string[]) => run(["runs", ...words], { env, cwd: home });
  expect(await slipway("ls")).toMatchObject({ out: "", status: 0 });
  expect(await slipway("show")).toEqual({ out: "", error: printed("run-not-found", /./), status: 2 });
  const start = { version: 1, arguments: 0, engine: "process", images: [], process: 1, began: "0" } as const;
  for (const program of ["//a:old", "//a:new"]) {
    const record = new RunRecord(env, { ...start, program }, () => {});
    record.add({ batch: { id: "load", name: "load", after: [], items: 1, isMap: false } });
    record.add({ item: { batch: "load", index: 0, state: "done" } });
    record.add({ batch: { id: "fit", name: "fit", after: ["load"], items: 12, isMap: true } });
    for (let index = 0; index < 12; index++) {
      record.add({ item: { batch: "fit", index, state: "failed", error: `TideError: ${index}` } });
    }
    record.add({ output: { batch: "fit", text: `${program}\n` } });
    record.end(3);
    // Their names have the time in milliseconds.
    const now = Date.now();
    await vi.waitUntil(() => Date.now() > now, { interval: 1 });
  }
  const runs = JSON.parse((await slipway("ls", "--json")).out);
  expect(runs).toMatchObject([
    { program: "//a:old", state: "failed" },
    { program: "//a:new", status: 3, batches: [{ done: 1 }, { failed: 12, after: ["load"] }] },
  ]);
  expect((await slipway("ls", "--last=1")).out.split("\n").slice(1)).toEqual([
    expect.stringMatching(/^\S+ +\/\/a:new +process +failed \(3\) +20\S+Z +0s$/),
    "",
  ]);
  const { out } = await slipway("show");
  expect(out).toMatch(/^program +\/\/a:new$/m);
  expect(out).toMatch(/^fit +load +12 failed +0s$/m);
  expect(out).toContain("fit, item 9: TideError: 9\nfit: 2 more failed\n");
  expect((await slipway("logs", runs[0].id)).out).toBe("//a:old\n");
  expect(JSON.parse((await slipway("show", runs[0].id, "--json")).out)).toMatchObject({ program: "//a:old" });
  expect(await slipway("show", "20")).toEqual({ out: "", error: printed("run-not-found", /2 runs/), status: 2 });
});
