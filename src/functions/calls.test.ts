import { expect, it } from "vitest";
import { outputOf, retryNotice } from "./calls.ts";
import { batch } from "./testdata/batch.ts";

function printing(more: object) {
  let printed = "";
  const onOutput = (data: Buffer) => {
    printed += data;
  };
  const inputs = ["[1]", "[2]"];
  return {
    outputs: inputs.map((_, index) => outputOf({ ...batch, inputs, ...more }, index, onOutput)),
    printed: () => printed,
  };
}

it("puts the item before each whole line of a map", async () => {
  const { outputs, printed } = printing({ labels: "plain", items: [4, 7] });
  const [four, seven] = outputs;
  await four?.write(Buffer.from("one\ntw"));
  await seven?.write(Buffer.from("seven\n"));
  await four?.write(Buffer.from("o\nthree"));
  for (const each of outputs) await each.end();
  expect(printed()).toBe("[f 4] one\n[f 7] seven\n[f 4] two\n[f 4] three\n");
});

it("gives items colours, and holds no more than a part of a line without an end", async () => {
  const { outputs, printed } = printing({ labels: "colored" });
  for (const each of outputs) await each.write(Buffer.from("a\n"));
  expect(printed()).toBe("\u001b[36m[f 0]\u001b[0m a\n\u001b[33m[f 1]\u001b[0m a\n");
  for (let piece = 0; piece < 100; piece += 1) await outputs[0]?.write(Buffer.alloc(1000, "x"));
  expect(printed().length).toBeGreaterThan(60_000);
});

it("passes on what a single call prints as it is", async () => {
  const { outputs, printed } = printing({ inputs: ["[1]"] });
  await outputs[0]?.write(Buffer.from("begin"));
  expect(printed()).toBe("begin");
});

it("names the item whose attempt failed, also of a part of a map", () => {
  const part = { ...batch, labels: "plain", items: [7], retries: 1 } as const;
  expect(retryNotice(part, 0, 1).toString()).toBe("slipway: f, item 7: attempt 1 of 2 failed; trying again\n");
});
