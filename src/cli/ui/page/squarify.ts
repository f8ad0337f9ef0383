export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Bruls, Huizing and van Wijk, "Squarified Treemaps". Weights above 0, the largest first; boxes in that order. */
export function squarify(weights: readonly number[], whole: Box): Box[] {
  const boxes: Box[] = [];
  let total = 0;
  for (const weight of weights) total += weight;
  let { x, y, width, height } = whole;
  for (let start = 0; start < weights.length; ) {
    const scale = (width * height) / total;
    const side = Math.min(width, height);
    let end = start;
    let row = 0;
    let worst = Number.POSITIVE_INFINITY;
    while (end < weights.length) {
      const next = row + (weights[end] as number);
      const breadth = (next * scale) / side;
      const longest = ((weights[start] as number) * scale) / breadth;
      const shortest = ((weights[end] as number) * scale) / breadth;
      const ratio = Math.max(longest / breadth, breadth / shortest);
      if (ratio > worst) break;
      worst = ratio;
      row = next;
      end++;
    }
    const isColumn = width >= height;
    const breadth = side === 0 ? 0 : (row * scale) / side;
    let along = 0;
    for (let index = start; index < end; index++) {
      const length = (side * (weights[index] as number)) / row;
      boxes.push(
        isColumn
          ? { x, y: y + along, width: breadth, height: length }
          : { x: x + along, y, width: length, height: breadth },
      );
      along += length;
    }
    if (isColumn) {
      x += breadth;
      width = Math.max(0, width - breadth);
    } else {
      y += breadth;
      height = Math.max(0, height - breadth);
    }
    total -= row;
    start = end;
  }
  return boxes;
}
