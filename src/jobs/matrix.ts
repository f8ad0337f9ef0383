/** The values of a sweep by variable: an item for each combination of them. */
export type Matrix = Readonly<Record<string, readonly string[]>>;

/** Most items of one job. */
export const maximumItems = 10_000;

/** Most bytes of a matrix as JSON: it is an annotation, and part of an argument. */
export const maximumMatrix = 32 * 1024;

/** Pods of a sweep at once, where nobody says. As for functions. */
export const usualParallelism = 50;

/** Set by Kubernetes for each item of a sweep. */
export const indexVariable = "JOB_COMPLETION_INDEX";

/** Variables in the order of their names, and how many items have the same value of one in a row. */
export function dimensions(matrix: Matrix): { name: string; values: readonly string[]; run: number }[] {
  // Locks sort their fields: the order in a file cannot count.
  const names = Object.keys(matrix).sort();
  let run = itemCount(matrix);
  return names.map((name) => {
    const values = matrix[name] as readonly string[];
    run /= values.length;
    return { name, values, run };
  });
}

export function itemCount(matrix: Matrix): number {
  return Object.values(matrix).reduce((product, { length }) => product * length, 1);
}

/** The variables of one item. */
export function itemValues(matrix: Matrix, index: number): Record<string, string> {
  return Object.fromEntries(
    dimensions(matrix).map(({ name, values, run }) => [
      name,
      values[Math.floor(index / run) % values.length] as string,
    ]),
  );
}
