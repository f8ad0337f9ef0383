import { appendFileSync, mkdirSync, mkdtempSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { parseRun, RunReader, readRun } from "./read.ts";

const run = { version: 1, program: "//a:b", arguments: 0, engine: "process", images: [], process: 7, began: "11" };
const lines = (...events: object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join("");
const begun = { at: 1, run };
const batch = { at: 2, batch: { id: "f", name: "f", after: [], items: 2, isMap: true } };

it("tells a run that was killed from one that runs", () => {
  const alive = (process: number, began: string) => process === 7 && began === "11";
  expect(parseRun("x", lines(begun, batch), alive)).toMatchObject({ state: "running" });
  const killed = parseRun("x", lines(begun, batch), () => false);
  expect(killed).toMatchObject({ state: "killed", started: 1, ended: 2 });
  expect(killed).not.toHaveProperty("status");
});

it("leaves out what is damaged or foreign", () => {
  const item = { at: 3, item: { batch: "f", index: 1, state: "done" } };
  const wrong = [
    { at: 3, item: { batch: "f", index: -1, state: "done" } },
    { at: 3, item: { batch: "g", index: 0, state: "done" } },
  ];
  const text = `${lines(begun)}{"at":\n[]\nnull\n${lines(batch, ...wrong, { at: 3, other: 1 }, item)}{"at":4,"end":{"sta`;
  const parsed = parseRun("x", text, () => true);
  expect(parsed?.batches[0]?.calls.map(({ state }) => state)).toEqual(["waiting", "done"]);
  expect(parsed?.state).toBe("running");
  expect(parseRun("x", lines(batch), () => true)).toBeUndefined();
  expect(parseRun("x", lines({ at: 1, run: { ...run, version: 2 } }), () => true)).toBeUndefined();
});

it("takes any text", () => {
  const event = fc.oneof(fc.constant(begun), fc.constant(batch), fc.jsonValue());
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.string(),
          event.map((value) => JSON.stringify(value)),
        ),
      ),
      (all) => {
        parseRun("x", all.join("\n"), () => false);
      },
    ),
  );
});

it("reads what is new, by whole lines", () => {
  const home = mkdtempSync(join(tmpdir(), "read-"));
  const id = "20200101T000000000Z-00000000";
  const file = join(home, "slipway/runs", `${id}.jsonl`);
  mkdirSync(join(file, ".."), { recursive: true });
  const [first, second] = [lines(begun), lines({ at: 2, output: { batch: "f", text: "é".repeat(300_000) } })];
  appendFileSync(file, first + second.slice(0, 30));
  const reader = new RunReader(id, { XDG_STATE_HOME: home });
  onTestFinished(() => reader.close());
  expect(reader.read()).toEqual([begun]);
  expect(reader.read()).toEqual([]);
  appendFileSync(file, `${second.slice(30)}foreign\n`);
  expect(reader.read()).toEqual([JSON.parse(second)]);
  truncateSync(file);
  expect(reader.read()).toEqual([]);
  expect(() => new RunReader("../secrets", { XDG_STATE_HOME: home })).toThrow("../secrets");
});

it("reads no file but that of a run", () => {
  for (const id of ["../secrets/a", "", ".", "20200101T000000Z-0000000/"])
    expect(readRun(id, { HOME: "/nonexistent" })).toBeUndefined();
});
