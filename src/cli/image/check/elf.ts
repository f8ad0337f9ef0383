const PT_INTERP = 3;

/**
 * The path of the loader that an ELF program needs (System V ABI, "Program Interpreter"). Reads little-endian files only, so not s390x.
 *
 * @param head the beginning of the file, with the program headers and the path
 * @returns undefined for a program without a loader, and for other files
 */
export function elfLoader(head: Buffer): string | undefined {
  if (head.length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head[5] !== 1) return undefined;
  const wide = head[4] === 2;
  const word = (at: number) => (wide ? Number(head.readBigUInt64LE(at)) : head.readUInt32LE(at));
  const table = word(wide ? 32 : 28);
  const entrySize = head.readUInt16LE(wide ? 54 : 42);
  const count = head.readUInt16LE(wide ? 56 : 44);
  for (let at = table; at < table + count * entrySize; at += entrySize) {
    if (at + entrySize > head.length) return undefined;
    if (head.readUInt32LE(at) !== PT_INTERP) continue;
    const offset = word(at + (wide ? 8 : 4));
    const end = head.indexOf(0, offset);
    return offset < head.length && end >= 0 ? head.toString("utf8", offset, end) : undefined;
  }
  return undefined;
}
