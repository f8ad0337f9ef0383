/** A program for the tests of functions: its first argument says which of its calls to make. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import {
  containerImage,
  engine,
  hasContainerImage,
  inImage,
  insideImage,
  type Json,
  MapError,
  main,
  mapInImage,
  runInImage,
} from "../index.ts";

class TideError extends Error {
  override readonly name = "TideError";
}

console.log("loading");

const scenario = process.argv[2] ?? "";

const add = inImage("add", async (a: number, b: number) => {
  console.log("adding");
  spawnSync("/bin/echo", ["from a child"], { stdio: "inherit" });
  return { sum: a + b, pid: process.pid, argument: process.argv[2] ?? null };
});
const fail = inImage("fail", (): string => {
  throw new TideError("the tide is out", { cause: new Error("the moon") });
});
const nothing = inImage("nothing", () => {});
const exits = inImage("exits", (status: number): number => process.exit(status));
const odd = inImage("odd", () => ({ depths: [new Map()] }) as unknown as Json);
const wrongTag = inImage("wrongTag", () => containerImage("gpu"));
const large = inImage("large", (bytes: number) => "x".repeat(bytes));
inImage("length", (text: string) => text.length);
inImage("late", (n: number) => new Promise<number>((resolve) => setTimeout(() => resolve(2 * n), 2000)));
const secret = inImage("secret", () => (process.env["PASSWORD"] ?? "").length, {
  env: { PASSWORD: "SECRET:db-password" },
});
inImage("address", () => Object.values(networkInterfaces()).flatMap((all = []) => all).find((each) => !each.internal)?.address ?? "");
inImage("mark", async (url: string, n: number) => {
  await fetch(`${url}/?n=${n}&pid=${process.pid}&host=${hostname()}`);
  return 2 * n;
});
const third = inImage(
  "third",
  (marks: string) => {
    appendFileSync(marks, "x");
    if (readFileSync(marks, "utf8").length < 3) throw new TideError("not yet");
    return readFileSync(marks, "utf8").length;
  },
  { retries: 2 },
);
const slow = inImage("slow", () => new Promise<null>((resolve) => setTimeout(resolve, 600_000)), {
  timeLimit: "1s",
  retries: 1,
});
const host = inImage("host", () => hostname(), { keepWarm: "1m" });
const outer = inImage("outer", async () => (await add(2, 3)).sum);
const silent = inImage("silent", (n: number) => (n === 3 ? "three" : "other"));
const outerAlone = inImage("outerAlone", () => silent(3));
const where = inImage(
  "where",
  () => ({
    host: hostname(),
    user: process.getuid?.() ?? -1,
    variables: Object.keys(process.env).sort(),
    declared: process.env["DECLARED"] ?? null,
    image: hasContainerImage(),
  }),
  { env: { DECLARED: "line one\nline two" } },
);
const waits = inImage("waits", async () => {
  process.stderr.write(`waiting as ${process.pid}\n`);
  await new Promise((resolve) => setTimeout(resolve, 600_000));
  return null;
});
const square = inImage("square", async (n: number): Promise<number> => {
  if (n === 13) throw new TideError("thirteen");
  if (n === 17) process.exit(7);
  // The later ones are the faster ones.
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 200 - 20 * n)));
  return n * n;
});
const prints = inImage("prints", (n: number) => {
  process.stdout.write("ebb");
  console.log(` ${n}`);
  process.stderr.write(`flow ${n}\n`);
  return n;
});
const squares = inImage("squares", (items: number[]) => mapInImage(items, square));
if (scenario === "unknownOption") inImage("wrong", () => 1, { netwrok: "host" } as object);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const scenarios: Record<string, () => Promise<Json | void>> = {
  add: () => add(1, 2),
  together: () => Promise.all([add(1, 1), add(2, 2), add(3, 3)]),
  fail: () => fail(),
  nothing: async () => ({ isUndefined: (await nothing()) === undefined }),
  exits: () => exits(7),
  odd: () => odd(),
  wrongTag: () => wrongTag(),
  large: async () => (await large(4 * 1024 * 1024)).length,
  tooLarge: () => large(256 * 1024 * 1024),
  outer: () => outer(),
  outerAlone: () => outerAlone(),
  where: () => where(),
  secret: () => secret(),
  slow: () => slow(),
  third: () => third(process.env["MARKS"] ?? ""),
  mapThird: () => mapInImage([process.env["MARKS"] ?? ""], third, { retries: 1 }),
  waits: () => waits(),
  failsWhileWaiting: () => Promise.all([waits(), once(process, "SIGUSR2").then(fail)]),
  map: () => mapInImage(upTo(12), square, { parallelism: 5 }),
  mapByName: () => mapInImage<number, Json>(upTo(3), "square"),
  mapPrints: () => prints.map(upTo(3)),
  mapNothing: () => mapInImage([], square),
  mapFails: async () => {
    const error = await mapInImage(upTo(20), square, { parallelism: 5 }).catch((error: unknown) => error);
    if (!(error instanceof MapError)) throw error;
    return { message: error.message, indices: error.failures.map(({ index }) => index) };
  },
  mapSettles: async () =>
    (await mapInImage([2, 13, 17], square, { settled: true })).map((each) =>
      each.status === "fulfilled" ? each.value : String(each.reason),
    ),
  mapInside: () => squares([2, 3]),
  mapNobody: () => mapInImage<number, Json>([1], "cube"),
  mapTyped: () => mapInImage([1, 2, 3], square, { resources: { cpu: 1, instanceType: "big" } }),
  host: () => host(),
  mapLimited: () => mapInImage([1, 2, 3], square, { resources: { cpu: 0.5, memory: "1GiB" } }),
  mapVolume: () => mapInImage([1], square, { volumes: { "/data": { folder: "/nowhere/at/all" } } }),
  mapUnknown: () => mapInImage([1], square, { resources: { gpus: 1 } as object }),
  mapNone: () => mapInImage([1], square, { parallelism: 0 }),
  mapWaits: () => mapInImage<number, Json>(upTo(4), "waits", { parallelism: 2 }),
  engine: async () => ({ ...engine() }),
  itself: async () => (insideImage() ? { arguments: process.argv.slice(2) } : runInImage({ args: ["itself", "--deep"] })),
  itselfFails: async () => (insideImage() ? fail() : runInImage({ args: ["itselfFails"] })),
  itselfExits: async () => (insideImage() ? process.exit(3) : runInImage({ args: ["itselfExits"] })),
  itselfForever: () => runInImage({ args: ["itselfForever"] }),
  oddArgument: () => (add as unknown as (pattern: RegExp) => Promise<Json>)(/a/),
};

await main(async () => {
  const run = scenarios[scenario];
  if (run === undefined) throw new Error(`no scenario ${scenario}`);
  const result = await run();
  console.log(JSON.stringify(result ?? null));
  return result;
});
