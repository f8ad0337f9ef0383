/**
 * The seed of a test, which prints it. SLIPWAY_TEST_SEED sets another one.
 *
 * @param usual Default: a random number
 */
export function seedOfTest(usual = Math.floor(Math.random() * 2 ** 31)): number {
  const given = process.env["SLIPWAY_TEST_SEED"];
  const seed = given ? Number(given) : usual;
  console.log(`SLIPWAY_TEST_SEED=${seed}`);
  return seed;
}

/** Numbers that a seed gives: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

export type Random = ReturnType<typeof randomFrom>;

/** A whole number below a limit. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

export function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  return items[below(random, items.length)] as Item;
}
