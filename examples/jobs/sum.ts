/** A program with an image of its own: prints the sum of its arguments. */
const numbers = process.argv.slice(2).map(Number);
console.log(numbers.reduce((sum, number) => sum + number, 0));
