/** A program of steps for tests: its first argument says which. */
import { once } from "node:events";
import { existsSync, watch, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { inImage, type Json, main } from "../index.ts";

const load = inImage("load", (count: number) => Array.from({ length: count }, (_, index) => index));
const double = inImage("double", (n: number) => 2 * n);
const sum = inImage("sum", (all: readonly number[], more: { readonly offset: number }) =>
  all.reduce((total, n) => total + n, more.offset),
);
const nothing = inImage("nothing", () => {});
const describe = inImage("describe", (of: readonly { readonly value: Json }[]) => JSON.stringify(of));
const fail = inImage("fail", (): number => {
  throw new Error("the tide is out");
});
/** Ends when another call, that looks for this one's mark, runs at the same time. */
const meet = inImage("meet", async (own: string, other: string): Promise<string> => {
  const watcher = watch(dirname(other));
  writeFileSync(own, "");
  while (!existsSync(other)) await once(watcher, "change");
  watcher.close();
  return "met";
});

const marks = process.env["MARKS"] ?? "";
const scenarios: Record<string, () => Promise<Json | void>> = {
  graph: async () => {
    const items = load(3);
    const doubled = double.map(items);
    const offset = double(load(1).then((list) => list.length));
    const total = sum(doubled, { offset });
    return describe([{ value: total }, { value: nothing() }, { value: 7 }]);
  },
  mapped: () => double.map([load(2).then((list) => list.length), 5, double(3)]),
  together: () => describe([{ value: meet(`${marks}/a`, `${marks}/b`) }, { value: meet(`${marks}/b`, `${marks}/a`) }]),
  failing: () => sum([double(1), fail()], { offset: double(2) }),
  inside: async () => {
    process.stdout.write("before\n");
    const first = await load(2);
    process.stdout.write("after\n");
    return double.map(first);
  },
};

await main(async () => {
  const result = await scenarios[process.argv[2] ?? ""]?.();
  process.stdout.write(`${JSON.stringify(result)}\n`);
});

/** Types: what the compiler takes, and what it refuses. Nothing calls it. */
export function types(): void {
  void double(load(1).then((list) => list.length));
  void sum([double(1), 2], { offset: Promise.resolve(1) });
  void sum(double.map([1, double(2)]), { offset: 1 });
  // @ts-expect-error the result is no number
  void double(load(1));
  // @ts-expect-error an item is no number
  void double.map(["a"]);
  // @ts-expect-error the offset is no text
  void sum([1], { offset: Promise.resolve("1") });
}
