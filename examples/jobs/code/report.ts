/** What the examples run in TypeScript: a module whose default export is the function. */
function total(numbers: readonly number[]): { total: number; node: string } {
  console.log(`adding ${numbers.length} numbers`);
  return { total: numbers.reduce((sum, number) => sum + number, 0), node: process.version };
}

export default total;
