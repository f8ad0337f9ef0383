/** Functions for the tests of workers. */
import { setTimeout as delay } from "node:timers/promises";
import { inImage, main } from "../index.ts";

inImage("square", (n: number) => n * n);
inImage("fails", (): number => {
  throw new TypeError("no");
});
inImage("waits", async (milliseconds: number) => {
  await delay(milliseconds);
  return milliseconds;
});
inImage(
  "together",
  async (name: string) => {
    console.log(`began ${name}`);
    await delay(20);
    process.stderr.write(`ended ${name}\n`);
    return name;
  },
  { concurrency: 3 },
);
let made = 0;
inImage("state", (state: { n: number }, more: number) => (state.n += more), {
  setup: async () => {
    made += 1;
    return { n: 100 * made };
  },
  teardown: (state) => process.stderr.write(`torn down at ${state.n}\n`),
});
inImage("batched", (items: number[]) => items.map((n) => [n, items.length]), { batch: { size: 4, wait: "20ms" } });
inImage("short", (items: number[]) => items.slice(1), { batch: { size: 2 } });
inImage("bytes", (data: Uint8Array) => data.map((byte) => byte + 1));
inImage("exits", (status: number): number => process.exit(status));

await main(() => "the program");
