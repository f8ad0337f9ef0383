import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { scratchFolder } from "../e2e/workspace.ts";
import { Consumer } from "./consumer.ts";

const consumer = new Consumer("steps");
afterAll(() => consumer.end());

const folder = join(scratchFolder(), "steps");
const graph = [
  "would run load",
  "would run split after load",
  "would run train (8 items) after split",
  "would run pick after train",
  "would run plot after train, pick",
];

interface Ran {
  readonly state: string;
  readonly batches: readonly { id: string; after: string[]; isMap: boolean; calls: { state: string }[] }[];
}

const lastRun = async () => JSON.parse(await consumer.slipway("runs", "show", "--json")) as Ran;

/** The steps of which calls ran. */
async function stepsThatRan(): Promise<string[]> {
  const { batches } = await lastRun();
  return batches.filter(({ calls }) => calls.some(({ state }) => state === "done")).map(({ id }) => id);
}

function edit(file: string, change: (text: string) => string): void {
  const path = join(folder, file);
  const before = readFileSync(path, "utf8");
  expect(change(before)).not.toBe(before);
  writeFileSync(path, change(before));
}

describe.each([
  {
    target: "//:penguins",
    file: "penguins.ts",
    newTrain: (text: string) => text.replace('tryModel, { keep, version: "1"', 'tryModel, { keep, version: "2"'),
    newSplit: (text: string) =>
      text
        .replace('splitPenguins, { keep, version: "1"', 'splitPenguins, { keep, version: "2"')
        .replaceAll("% 5", "% 4"),
  },
  {
    target: "//:penguins_py",
    file: "penguins.py",
    newTrain: (text: string) => text.replace('version="1")\ndef train', 'version="2")\ndef train'),
    newSplit: (text: string) =>
      text.replace('version="1")\ndef split', 'version="2")\ndef split').replaceAll("% 5", "% 4"),
  },
])("the steps of $file", ({ target, file, newTrain, newSplit }) => {
  it("are printed before anything runs", async () => {
    const stdout = await consumer.run(target, { SLIPWAY_DRY_RUN: "steps" });
    expect(stdout.split("\n").filter((line) => line.startsWith("would run "))).toEqual(graph);
  });

  it("run as they were printed, and give the same in both languages", async () => {
    expect(await consumer.run(target)).toBe(
      "3 neighbours: 69 of 69 penguins are right\nThe comparison is in penguins.svg.\n",
    );
    const picture = readFileSync(join(folder, "penguins.svg"), "utf8");
    expect(picture).toContain(">69 of 69</text>");
    writeFileSync(join(folder, "first.svg"), picture, { flag: file === "penguins.ts" ? "wx" : "a" });
    expect(readFileSync(join(folder, "first.svg"), "utf8").replace(picture, "")).toBe(
      file === "penguins.ts" ? "" : picture,
    );
    const { state, batches } = await lastRun();
    expect(state).toBe("done");
    const ran = batches.map(({ id, after, isMap, calls }) => {
      const items = isMap ? ` (${calls.length} items)` : "";
      return `would run ${id}${items}${after.length > 0 ? ` after ${after.join(", ")}` : ""}`;
    });
    expect(ran.sort()).toEqual(graph.toSorted());
  });

  it("do not run again, and after an edit only the step itself and what takes another result of it", async () => {
    await consumer.run(target);
    expect(await stepsThatRan()).toEqual([]);
    edit(file, newTrain);
    await consumer.run(target);
    expect(await stepsThatRan()).toEqual(["train"]);
    edit(file, newSplit);
    await consumer.run(target);
    expect((await stepsThatRan()).sort()).toEqual(["pick", "plot", "split", "train"]);
  });
});
