export interface Tide {
  readonly depth: number;
}

export function check(tide: Tide): number {
  if (tide.depth > 0) throw new RangeError(`too deep: ${tide.depth}`);
  return tide.depth;
}
