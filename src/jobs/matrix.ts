/** Values by variable. Each combination of them is an item. */
export type Matrix = Readonly<Record<string, readonly string[]>>;

export const maximumItems = 10_000;

/** Maximum bytes of a matrix as JSON, since it becomes an annotation and an argument. */
export const maximumMatrix = 32 * 1024;

/** Default number of pods at once. The same as for functions. */
export const usualParallelism = 50;

/** Set by Kubernetes for each item of a sweep. */
export const indexVariable = "JOB_COMPLETION_INDEX";

/** Variables in the order of their names. `run`: how many items in a row have the same value. */
export function dimensions(matrix: Matrix): { name: string; values: readonly string[]; run: number }[] {
  // Locks sort their fields, so the order in a file is lost.
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

export function itemValues(matrix: Matrix, index: number): Record<string, string> {
  return Object.fromEntries(
    dimensions(matrix).map(({ name, values, run }) => [
      name,
      values[Math.floor(index / run) % values.length] as string,
    ]),
  );
}
