/**
 * A helper in small: squares items with kept results, and prints each item that runs. Status 1: a result is missing
 * or wrong.
 */
import { setTimeout as delay } from "node:timers/promises";
import { KeptCalls } from "../keep.ts";
import { batch } from "./batch.ts";

const [image = "", count = ""] = process.argv.slice(2);
const squares = new Map<number, unknown>();
const inputs = Array.from({ length: Number(count) }, (_, item) => `[${item}]`);
await new KeptCalls(process.env).run(
  {
    kind: "process",
    run: async (missing, { onOutcome }) => {
      for (const [index, input] of missing.inputs.entries()) {
        const [item] = JSON.parse(input) as [number];
        process.stdout.write(`${item}\n`);
        // The registry's answers come meanwhile.
        await delay(1);
        onOutcome(index, { reply: { result: item * item } });
      }
    },
  },
  { ...batch, image, inputs, keep: {} },
  {
    onOutcome: (index, outcome) => {
      if ("reply" in outcome && "result" in outcome.reply) squares.set(index, outcome.reply.result);
    },
    onOutput: () => {},
  },
);
process.exitCode = inputs.every((_, item) => squares.get(item) === item * item) ? 0 : 1;
