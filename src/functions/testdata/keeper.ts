/**
 * A helper in small: squares items with kept results, and prints each item that runs. Status 1: a result is missing
 * or wrong.
 */
import { setTimeout as delay } from "node:timers/promises";
import { KeptCalls } from "../keep.ts";
import { callAll } from "./batch.ts";
import { MemoryWorkers } from "./memory-workers.ts";

const [image = "", count = ""] = process.argv.slice(2);
const inputs = Array.from({ length: Number(count) }, (_, item) => [item]);
const engine = new MemoryWorkers(async (item) => {
  process.stdout.write(`${item}\n`);
  // The registry's answers come meanwhile.
  await delay(1);
  return item * item;
}, 1);
const calls = new KeptCalls(process.env);
const { outcomes } = await callAll(engine, inputs, { image }, { kept: calls.open({ name: "f", image }, () => {}) });
await calls.end();
const isRight = inputs.every((_, item) => {
  const outcome = outcomes[item];
  return outcome && "value" in outcome && outcome.value === item * item;
});
process.exit(isRight ? 0 : 1);
