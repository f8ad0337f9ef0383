import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { openRegistry } from "../registry/client/open.ts";
import { pushImage, serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { listResults } from "../results/manage.ts";
import { type CallBatch, type CallEngine, type CallListener, type CallOutcome, isFine } from "./calls.ts";
import { KeptCalls } from "./keep.ts";
import { batch } from "./testdata/batch.ts";

/** An engine that squares. It may fail for items, and break after some. */
class Squares implements CallEngine {
  readonly kind = "process";
  readonly ran: number[] = [];
  readonly items: (readonly number[] | undefined)[] = [];
  fails: (item: number) => boolean = () => false;
  breaksAfter = Number.POSITIVE_INFINITY;

  async run({ inputs, items }: CallBatch, { onOutcome }: CallListener): Promise<void> {
    this.items.push(items);
    for (const [index, input] of inputs.entries()) {
      if (this.ran.length >= this.breaksAfter) throw new Error("the engine broke");
      const [item] = JSON.parse(input) as [number];
      this.ran.push(item);
      const error = { name: "Error", message: "no", details: "" };
      const failure: CallOutcome = item % 200 === 7 ? { reply: { error } } : { status: 1 };
      onOutcome(index, this.fails(item) ? failure : { reply: { result: item * item } });
    }
  }
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
  /** Runs a map on an engine. @returns outcomes by index, and what was printed */
  const run = async (
    engine: Squares,
    items: readonly number[],
    more: Partial<CallBatch>,
    calls = new KeptCalls(env),
  ) => {
    const outcomes: CallOutcome[] = [];
    const kept: number[] = [];
    let printed = "";
    const listener: CallListener = {
      onOutcome: (index, outcome) => {
        expect(outcomes[index]).toBeUndefined();
        outcomes[index] = "reply" in outcome ? { reply: outcome.reply } : outcome;
        if ("kept" in outcome) kept.push(index);
      },
      onOutput: (data) => {
        printed += data;
      },
    };
    const own = { ...batch, inputs: items.map((item) => `[${item}]`), ...more };
    const error = await calls.run(engine, own, listener).catch((caught: unknown) => caught);
    if (items.length > 1) await calls.end();
    return { outcomes, printed, error, kept };
  };
  return { push, run, place, calls: () => new KeptCalls(env) };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const squares = (count: number) => numbers(count).map((item) => ({ reply: { result: item * item } }));

it("runs only the 10 items of 1,000 that failed before", async () => {
  const { push, run, place } = await imageOfTest();
  const image = await push("code");
  const first = new Squares();
  first.fails = (item) => item % 100 === 7;
  const { outcomes } = await run(first, numbers(1000), { image, keep: {} });
  expect(outcomes.filter((outcome) => !isFine(outcome))).toHaveLength(10);
  const second = new Squares();
  const again = await run(second, numbers(1000), { image, keep: {} });
  expect(again).toMatchObject({ outcomes: squares(1000), error: undefined });
  expect(second.ran).toEqual(numbers(10).map((index) => index * 100 + 7));
  expect(second.items).toEqual([second.ran]);
  expect(again.kept).toEqual(numbers(1000).filter((item) => item % 100 !== 7));
  expect(again.printed).toBe("slipway: f: 990 of 1000 results are kept; 10 run\n");
  const third = new Squares();
  expect(await run(third, numbers(1000), { image, keep: {} })).toMatchObject({ outcomes: squares(1000), printed: "" });
  expect(third.items).toEqual([]);
  expect((await listResults(place)).map(({ items }) => items)).toEqual([990, 10]);
});

it("goes on where an engine broke", async () => {
  const { push, run } = await imageOfTest();
  const image = await push("code");
  const first = new Squares();
  first.breaksAfter = 357;
  expect(String((await run(first, numbers(500), { image, keep: {} })).error)).toContain("the engine broke");
  const second = new Squares();
  expect((await run(second, numbers(500), { image, keep: {} })).outcomes).toEqual(squares(500));
  expect(second.ran).toEqual(numbers(500).slice(357));
});

it("runs again when a layer changes, and not when a label does or the version is named", async () => {
  const { push, run } = await imageOfTest();
  const ran = async (image: string, keep: { version?: string }) => {
    const engine = new Squares();
    await run(engine, [1, 2], { image, keep });
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

it("keeps nothing without the option", async () => {
  const { push, run, place } = await imageOfTest();
  const engine = new Squares();
  await run(engine, [1], { image: await push("code") });
  expect(await listResults(place)).toEqual([]);
  expect(engine.items).toEqual([undefined]);
});

it("runs every call when the registry does not answer, and says so once", async () => {
  const { run } = await imageOfTest();
  const engine = new Squares();
  const image = `localhost:1/team/app@sha256:${"0".repeat(64)}`;
  const { outcomes, printed, error } = await run(engine, [0, 1, 2], { image, keep: { version: "1" } });
  expect({ outcomes, error }).toEqual({ outcomes: squares(3), error: undefined });
  expect(printed.match(/Kept results cannot be used, and all calls run/g)).toHaveLength(1);
});

it("asks once for a program's single calls, and stores theirs together", async () => {
  const { push, run, place, calls } = await imageOfTest();
  const image = await push("code");
  await run(new Squares(), [1, 2], { image, keep: {} });
  const own = calls();
  const engine = new Squares();
  for (const item of [1, 2, 3, 4, 3]) {
    expect((await run(engine, [item], { image, keep: {} }, own)).outcomes).toEqual([
      { reply: { result: item * item } },
    ]);
  }
  expect(engine.ran).toEqual([3, 4]);
  await own.end();
  expect((await listResults(place)).map(({ items }) => items)).toEqual([2, 2]);
  const later = new Squares();
  expect((await run(later, [1, 2, 3, 4], { image, keep: {} })).outcomes).toHaveLength(4);
  expect(later.ran).toEqual([]);
});

it("uses no results that anyone with the right to push could have stored, where the image must be signed", async () => {
  const configuration = join(temporaryFolder(), "config.yaml");
  writeFileSync(configuration, "{}");
  const { push, run } = await imageOfTest({ SLIPWAY_CONFIG: configuration });
  const image = await push("code");
  await run(new Squares(), [1, 2], { image, keep: {} });
  const trusting = new Squares();
  expect((await run(trusting, [1, 2], { image, keep: {} })).kept).toEqual([0, 1]);
  writeFileSync(configuration, 'images: {"*": {require: {signature: {key: cosign.pub}}}}');
  const careful = new Squares();
  const { outcomes, kept, printed } = await run(careful, [1, 2], { image, keep: {} });
  expect({ outcomes, kept, ran: careful.ran }).toEqual({
    outcomes: [1, 4].map((result) => ({ reply: { result } })),
    kept: [],
    ran: [1, 2],
  });
  expect(printed).toContain("Results are not kept");
});
