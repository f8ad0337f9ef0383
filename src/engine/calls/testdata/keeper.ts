/** A helper in small: squares items with kept results, and prints each item that runs. It is killed. */
import { setTimeout as delay } from "node:timers/promises";
import { KeptCalls } from "../keep.ts";
import { batch } from "./batch.ts";

const [image = "", count = ""] = process.argv.slice(2);
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
  { onOutcome: () => {}, onOutput: () => {} },
);
