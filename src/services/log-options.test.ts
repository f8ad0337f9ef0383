import { expect, it } from "vitest";
import { Prefixes } from "./log-options.ts";

it("gives each name a colour of its own, and keeps it", () => {
  const prefixes = new Prefixes(true);
  const [a, b] = [prefixes.of("a"), prefixes.of("b")];
  expect(a).toBe("\u001b[36m[a]\u001b[0m ");
  expect(b.replace("[b]", "[a]")).not.toBe(a);
  expect(prefixes.of("a")).toBe(a);
  expect(new Prefixes().of("a")).toBe("[a] ");
});
