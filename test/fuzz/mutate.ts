import fc from "fast-check";

/** What breaks parsers more often than chance does. */
const pieces = [
  ...[
    "\0",
    "\n",
    "\r\n",
    " ",
    "\t",
    ",",
    ":",
    ";",
    "=",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "\\",
    "/",
    "../",
    "<",
    ">",
    "#",
    "&a",
    "*a",
    "<<: ",
  ],
  ...[
    "-1",
    "0",
    "1e999",
    "NaN",
    "null",
    "true",
    "9007199254740993",
    "99999999999999999999",
    "\u001b[2J",
    "\u202e",
    "\ud800",
    "é",
  ],
  ...[
    "__proto__",
    '"__proto__":{"polluted":1},',
    "constructor",
    "prototype",
    "polluted: 1\n",
    "toString",
    "hasOwnProperty",
  ],
  ...[
    "[".repeat(500),
    "{".repeat(500),
    "(".repeat(500),
    "a".repeat(5000),
    "a:\n ".repeat(200),
    " ".repeat(2000),
    ",".repeat(2000),
  ],
].map((text) => Buffer.from(text));

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Buffer;
  /** Repeats what stands there instead. */
  readonly copies: number;
}

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 600 })),
  insert: fc.oneof(
    fc.constant(Buffer.alloc(0)),
    fc.constantFrom(...pieces),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  ),
  copies: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 60 }) }),
});

/** A valid text or file with a few changes, or with none. */
export function mutated(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 6 }))
    .map(([seed, edits]) => edits.reduce(changed, seed));
}

function changed(bytes: Buffer, { at, remove, insert, copies }: Edit): Buffer {
  const start = Math.min(bytes.length, Math.floor(at * (bytes.length + 1)));
  const cut = bytes.subarray(start, start + remove);
  const middle = copies > 0 ? Buffer.concat(Array.from({ length: copies }, () => cut)) : insert;
  return Buffer.concat([bytes.subarray(0, start), middle, bytes.subarray(start + remove)]);
}
