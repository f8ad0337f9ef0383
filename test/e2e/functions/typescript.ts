/** Maps items in its own image, or waits there. */
import { engine, type ItemFailure, inImage, insideImage, MapError, main, mapInImage, runInImage } from "slipway";

const square = inImage("square", (n: number) => n * n);
const fail = inImage("fail", (n: number) => {
  if (n === 3) throw new Error("three");
  return n;
});
const wait = inImage("wait", async (_: number) => {
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const version = process.env["KEPT_VERSION"];
const kept = inImage(
  "kept",
  (n: number) => {
    console.log(`ran ${n}`);
    if (n % 100 === 3 && process.argv.includes("fail")) throw new Error("three");
    return n * n;
  },
  { keep: true, ...(version === undefined ? {} : { version }) },
);

await main(async () => {
  if (insideImage()) return process.argv.slice(2);
  if (process.argv[2] === "keep") {
    const map = await mapInImage(upTo(Number(process.argv[4] ?? 6)), kept, { settled: true });
    // Calls by themselves are stored together, before the program ends.
    const single = [await kept(-10), await kept(-11)];
    const results = map.map((each) => (each.status === "fulfilled" ? each.value : null));
    console.log(JSON.stringify([...results, ...single]));
    return;
  }
  if (process.argv[2] === "wait") {
    await mapInImage([1, 2], wait);
    return;
  }
  const results = await mapInImage([0, 1, 2, 3, 4, 5], square);
  let failures: readonly ItemFailure[] = [];
  try {
    await mapInImage([0, 1, 2, 3], fail);
  } catch (error) {
    if (!(error instanceof MapError)) throw error;
    failures = error.failures;
  }
  const failed = failures.map(({ index, error }) => [index, (error as Error).message]);
  const itself = await runInImage({ args: ["itself"] });
  console.log(JSON.stringify({ engine: engine().kind, results, failed, itself }));
});
