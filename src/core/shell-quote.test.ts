import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { shellQuote } from "./shell-quote.ts";

it("leaves plain words as they are", () => {
  for (const word of ["a", "./x-y_z", "HOST:1/a@sha256:0", "k=v", "default##r.io/a"])
    expect(shellQuote(word)).toBe(word);
});

it("is the same word again for a shell, whatever is in it", () => {
  const words = fc.array(
    fc.string({ unit: "grapheme" }).filter((word) => !word.includes("\0")),
    { maxLength: 50 },
  );
  const hostile = ["", "'", "#a", "~", "a b", "$(id)", "`id`", "a\nb", "\\", "*", "!", "-n"];
  fc.assert(
    fc.property(words, (some) => {
      const all = [...hostile, ...some];
      const script = `printf '%s\\0' ${all.map(shellQuote).join(" ")}`;
      const read = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" });
      // Lone surrogates do not survive UTF-8.
      expect(read).toBe(Buffer.from(all.map((word) => `${word}\0`).join("")).toString());
    }),
    { numRuns: 5 },
  );
});
