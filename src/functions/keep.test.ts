import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { openRegistry } from "../registry/client/open.ts";
import { pushImage, serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { listResults } from "../results/manage.ts";
import { KeptCalls } from "./keep.ts";
import { callAll } from "./testdata/batch.ts";
import { MemoryWorkers } from "./testdata/memory-workers.ts";

/** Squares numbers. Fails for some, and ends the process after some. */
class Squares {
  readonly ran: number[] = [];
  fails: (item: number) => boolean = () => false;
  readonly workers = new MemoryWorkers((item, worker) => {
    this.ran.push(item);
    if (!this.fails(item)) return item * item;
    if (item % 200 === 7) throw new Error("no");
    worker.kill({ status: 1 });
    return 0;
  }, 1);
}

async function imageOfTest(more: Readonly<Record<string, string>> = {}) {
  const { env: own, paths } = await stateOfTest();
  const env = { ...own, ...more };
  const { ask, host } = await serverOfTest({ paths });
  const push = async (layer: string, extra = {}) =>
    `${host}/team/app@${await pushImage(ask, "team/app", "t", [layer], extra)}`;
  const client = openRegistry(host, { embedded: { socketPath: paths.socket } });
  onTestFinished(() => client.close());
  const place = { client, repository: "team/app", onNotice: () => {} };
  /** Runs a map. @returns outcomes by index, and what was printed */
  const run = async (
    { workers }: Squares,
    items: readonly number[],
    { image, version }: { readonly image: string; readonly version?: string },
    calls = new KeptCalls(env),
  ) => {
    let notices = "";
    const kept = calls.open({ name: "f", image, version }, (text) => {
      notices += `slipway: ${text}\n`;
    });
    const inputs = items.map((item) => [item]);
    const { outcomes, output } = await callAll(workers, inputs, { image, isMap: items.length > 1 }, { kept });
    if (items.length > 1) await calls.end();
    return { outcomes, printed: output + notices };
  };
  return { push, run, place, calls: () => new KeptCalls(env) };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const squares = (count: number) => numbers(count).map((item) => ({ value: item * item }));

it("runs only the 10 items of 1,000 that failed before", async () => {
  const { push, run, place } = await imageOfTest();
  const image = await push("code");
  const first = new Squares();
  first.fails = (item) => item % 100 === 7;
  const { outcomes } = await run(first, numbers(1000), { image });
  expect(outcomes.filter((outcome) => "error" in outcome)).toHaveLength(10);
  const second = new Squares();
  const again = await run(second, numbers(1000), { image });
  expect(again.outcomes).toEqual(squares(1000));
  expect(second.ran).toEqual(numbers(10).map((index) => index * 100 + 7));
  expect(again.printed).toBe("slipway: f: 990 of 1000 results are kept; 10 run\n");
  const third = new Squares();
  expect(await run(third, numbers(1000), { image })).toEqual({ outcomes: squares(1000), printed: "" });
  expect(third.ran).toEqual([]);
  expect((await listResults(place)).map(({ items }) => items)).toEqual([990, 10]);
});

it("runs again when a layer changes, and not when a label does or the version is named", async () => {
  const { push, run } = await imageOfTest();
  const ran = async (image: string, keep: { version?: string }) => {
    const engine = new Squares();
    await run(engine, [1, 2], { image, ...keep });
    return engine.ran.length;
  };
  const [one, labelled, two] = [await push("one"), await push("one", { annotations: { a: "b" } }), await push("two")];
  expect(labelled).not.toBe(one);
  expect(await ran(one, {})).toBe(2);
  expect(await ran(labelled, {})).toBe(0);
  expect(await ran(two, {})).toBe(2);
  expect(await ran(one, { version: "1" })).toBe(2);
  expect(await ran(two, { version: "1" })).toBe(0);
  expect(await ran(two, { version: "2" })).toBe(2);
});

it("runs every call when the registry does not answer, and says so once", async () => {
  const { run } = await imageOfTest();
  const engine = new Squares();
  const image = `localhost:1/team/app@sha256:${"0".repeat(64)}`;
  const { outcomes, printed } = await run(engine, [0, 1, 2], { image, version: "1" });
  expect(outcomes).toEqual(squares(3));
  expect(printed.match(/Kept results cannot be used, and all calls run/g)).toHaveLength(1);
});

it("asks once for a program's single calls, and stores theirs together", async () => {
  const { push, run, place, calls } = await imageOfTest();
  const image = await push("code");
  await run(new Squares(), [1, 2], { image });
  const own = calls();
  const engine = new Squares();
  for (const item of [1, 2, 3, 4, 3]) {
    expect((await run(engine, [item], { image }, own)).outcomes).toEqual([{ value: item * item }]);
  }
  expect(engine.ran).toEqual([3, 4]);
  await own.end();
  expect((await listResults(place)).map(({ items }) => items)).toEqual([2, 2]);
  const later = new Squares();
  expect((await run(later, [1, 2, 3, 4], { image })).outcomes).toHaveLength(4);
  expect(later.ran).toEqual([]);
});

it("uses no results that anyone with the right to push could have stored, where the image must be signed", async () => {
  const configuration = join(temporaryFolder(), "config.yaml");
  writeFileSync(configuration, "{}");
  const { push, run } = await imageOfTest({ SLIPWAY_CONFIG: configuration });
  const image = await push("code");
  await run(new Squares(), [1, 2], { image });
  const trusting = new Squares();
  await run(trusting, [1, 2], { image });
  expect(trusting.ran).toEqual([]);
  writeFileSync(configuration, 'images: {"*": {require: {signature: {key: cosign.pub}}}}');
  const careful = new Squares();
  const { outcomes, printed } = await run(careful, [1, 2], { image });
  expect({ outcomes, ran: careful.ran }).toEqual({ outcomes: [{ value: 1 }, { value: 4 }], ran: [1, 2] });
  expect(printed).toContain("Results are not kept");
});
