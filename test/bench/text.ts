/** Words of programs, so that what is made of them compresses about as programs do. */
const words = (
  "const let return function export import from await async if else for of new this class extends static readonly string number boolean " +
  "value index result error options config request response stream buffer chunk offset length digest layer image registry manifest blob " +
  "push pull token header status path folder file name target source entry module package version platform => === !== && || () {} [] ; , ."
).split(" ");

/** Numbers below 2^32 from a seed, always the same ones (xorshift). */
export function numbers(seed: number): () => number {
  let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0 || 1;
  return () => {
    state = (state ^ (state << 13)) >>> 0;
    state = (state ^ (state >>> 17)) >>> 0;
    state = (state ^ (state << 5)) >>> 0;
    return state;
  };
}

/** Text like that of a program, inside a comment of JavaScript. */
export function programText(seed: number, bytes: number): string {
  const next = numbers(seed);
  const parts = ["/*"];
  let length = 4;
  while (length < bytes) {
    const number = next();
    const word = number % 5 === 0 ? `v${(number >>> 8).toString(36)}` : (words[number % words.length] as string);
    const space = number % 11 === 0 ? "\n" : " ";
    parts.push(word, space);
    length += word.length + 1;
  }
  return `${parts.join("")}*/\n`;
}
