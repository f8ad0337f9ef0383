/** Bytes that no compression makes smaller, the same on every run (xorshift). */
export function randomBytes(size: number): Buffer {
  const numbers = new Uint32Array(Math.ceil(size / 4));
  let state = 2463534242;
  for (let index = 0; index < numbers.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    numbers[index] = state;
  }
  return Buffer.from(numbers.buffer).subarray(0, size);
}

/** Numbers in 32 bits such as those of a model: near 0, most of them small. */
export function randomWeights(size: number): Buffer {
  const random = randomBytes(size * 4);
  const weights = Float32Array.from({ length: size / 4 }, (_, index) => {
    let sum = 0;
    for (let part = 0; part < 4; part++) sum += random.readUInt32LE(16 * index + 4 * part) / 2 ** 32 - 0.5;
    return sum / 50;
  });
  return Buffer.from(weights.buffer);
}

/** Lines of numbers, which compress as text does. */
export function text(size: number): Buffer {
  const lines: string[] = [];
  for (let index = 0, length = 0; length < size; index++) {
    const line = `const value${index % 977} = Math.sqrt(${index}); // ${Math.sqrt(index)}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join("")).subarray(0, size);
}
