import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { itemCount, itemValues } from "./matrix.ts";
import { itemProgram, itemScript } from "./sweep.ts";

function variablesOf(script: string, index: number, names: readonly string[]): Record<string, string> {
  const printer = `for name in ${names.join(" ")}; do printf '%s\\0' "$name"; printenv -0 "$name" || printf '\\0'; done`;
  const out = execFileSync("/bin/sh", ["-c", `${script}exec "$@"`, "sh", "/bin/sh", "-c", printer], {
    env: { PATH: process.env["PATH"], JOB_COMPLETION_INDEX: String(index) },
    encoding: "utf8",
  });
  const parts = out.split("\0");
  return Object.fromEntries(names.map((name, at) => [name, parts[2 * at + 1] as string]));
}

describe("the items of a matrix", () => {
  it("are all combinations, in the order of the variables' names", () => {
    const matrix = { SEED: ["1", "2", "3"], LR: ["0.1", "0.2"] };
    expect(itemCount(matrix)).toBe(6);
    expect([0, 1, 2, 3, 5].map((index) => itemValues(matrix, index))).toEqual([
      { LR: "0.1", SEED: "1" },
      { LR: "0.1", SEED: "2" },
      { LR: "0.1", SEED: "3" },
      { LR: "0.2", SEED: "1" },
      { LR: "0.2", SEED: "3" },
    ]);
  });

  it("have their values in the shell, whatever these are", () => {
    // Mostly what means something to a shell.
    const unit = fc.constantFrom("'", '"', "$", "`", "\\", ";", ")", "*", "\n", " ", "a", "ü");
    const value = fc.string({ unit, maxLength: 8 });
    const values = fc.uniqueArray(value, { minLength: 1, maxLength: 4 });
    const name = fc.stringMatching(/^X[A-Z_0-9]{1,5}$/);
    const matrices = fc.dictionary(name, values, { minKeys: 1, maxKeys: 3 });
    const seed = Number(process.env["SLIPWAY_TEST_SEED"] ?? Date.now() % 2 ** 31);
    const property = fc.property(matrices, fc.nat(), (matrix, any) => {
      const index = any % itemCount(matrix);
      expect(variablesOf(itemScript(matrix), index, Object.keys(matrix))).toEqual({ ...itemValues(matrix, index) });
    });
    fc.assert(property, { seed, numRuns: 60 });
  });

  it("change no program without a matrix", async () => {
    const program = { name: "a", image: "a", argv: ["x"] } as unknown as Parameters<typeof itemProgram>[0];
    expect(await itemProgram(program, { platform: undefined, env: {} })).toBe(program);
  });
});
