import fc from "fast-check";
import { expect, it } from "vitest";
import { resultKey, scopeKey } from "./key.ts";

const scope = { function: "square", version: "1" };

/** The same value, with the keys of its objects in the opposite order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, turned(item)]);
  return Object.fromEntries(entries.reverse());
}

it("gives equal arguments the same key, and different ones different keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
      const [text, otherText] = [JSON.stringify([one]), JSON.stringify([other])];
      const key = resultKey(scope, text);
      expect(key).toMatch(/^[0-9a-f]{64}$/);
      expect(resultKey(scope, JSON.stringify([turned(one)], null, 2))).toBe(key);
      const isSame = resultKey(scope, otherText) === key;
      const values: unknown[] = [JSON.parse(text), JSON.parse(otherText)];
      if (isSame) expect(values[0]).toEqual(values[1]);
    }),
  );
});

it("tells apart integers that JavaScript rounds, functions and versions", () => {
  const input = "[9007199254740993]";
  const others = [
    resultKey(scope, "[9007199254740992]"),
    resultKey(scope, '["9007199254740993"]'),
    resultKey(scope, '[{"text":"9007199254740993"}]'),
    resultKey({ ...scope, version: "2" }, input),
    resultKey({ ...scope, function: "cube" }, input),
  ];
  expect(new Set([resultKey(scope, input), ...others]).size).toBe(6);
});

it("gives a scope the same key for ever, since tags contain it", () => {
  expect(scopeKey(scope)).toBe("079100bde1f59e647bed661be1bb235f");
  expect(resultKey(scope, '[{"b":1,"a":[true]}]')).toBe(
    "b15c626ea73b1c85bbf72fe2338f5784c311e4b7d63d8f414cbf4082186409a5",
  );
});
