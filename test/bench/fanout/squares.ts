/**
 * Calls functions many times, and says on standard output what that took, as JSON:
 * - `map N`: squares N numbers.
 * - `busy N`: N calls that take a millisecond each, on two workers.
 * - `single N`: N calls, one after the other, after a first one.
 * - `stream N`: squares N numbers as a stream.
 */
import { containerImage, hasContainerImage, inImage, main, mapInImage } from "slipway";

const square = inImage("square", (n: number): number => n * n);

/** @returns the milliseconds that it took */
const busy = inImage("busy", (): number => {
  const start = performance.now();
  while (performance.now() - start < 1);
  return performance.now() - start;
});

const seconds = (since: number) => (performance.now() - since) / 1000;

async function map(count: number) {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const start = performance.now();
  const results = await mapInImage(numbers, square, { parallelism: 2 });
  return { seconds: seconds(start), isRight: results.every((result, n) => result === n * n) };
}

async function share(count: number) {
  const start = performance.now();
  const times = await mapInImage(new Array<number>(count).fill(0), busy, { parallelism: 2 });
  const took = seconds(start);
  const own = times.reduce((sum, time) => sum + time, 0) / 1000;
  return { seconds: took, share: own / (2 * took), isRight: times.length === count };
}

async function single(count: number) {
  await square(1);
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await square(n);
    times.push(seconds(start));
  }
  times.sort((one, other) => one - other);
  return { seconds: times[count >> 1], isRight: true };
}

async function stream(count: number) {
  function* numbers() {
    for (let n = 0; n < count; n++) yield n;
  }
  const rates: number[] = [];
  const start = performance.now();
  let last = start;
  let n = 0;
  for await (const result of square.stream(numbers(), { parallelism: 2 })) {
    if (result !== n * n) return { seconds: 0, isRight: false };
    n += 1;
    if (n % (count / 10) > 0) continue;
    rates.push(Math.round(count / 10 / seconds(last)));
    last = performance.now();
  }
  return { seconds: seconds(start), rates, isRight: n === count };
}

await main(async () => {
  const [what = "", count = ""] = process.argv.slice(2);
  const runs = new Map<string, (count: number) => Promise<object>>(
    Object.entries({ map, busy: share, single, stream }),
  );
  const measured = await runs.get(what)?.(Number(count));
  const image = hasContainerImage() ? { image: containerImage() } : {};
  console.log(JSON.stringify({ ...measured, ...image }));
});
