/** The known name that a mistyped one is meant to be, or undefined when none is close: at most a third of its letters differ. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, "");
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const found = distance(plain(name), plain(candidate));
    if (found <= Math.max(1, plain(candidate).length / 3) && found < (best?.distance ?? Number.POSITIVE_INFINITY)) {
      best = { name: candidate, distance: found };
    }
  }
  return best?.name;
}

/** Edits, swaps of neighbours included, that make one text the other. */
function distance(one: string, other: string): number {
  // What is much longer than every name is none, however long it is.
  if (Math.abs(one.length - other.length) > 20) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = last;
    last = current;
  }
  return last[other.length] ?? 0;
}
