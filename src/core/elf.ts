// Of the System V ABI: "ELF Header", "Program Header", "Dynamic Section".
const signature = 0x7f454c46;
const littleEndian = 1;
const sharedObjectFile = 3;
const loadSegment = 1;
const dynamicSegment = 2;
const loaderSegment = 3;
const stringTableTag = 5;
const sonameTag = 14;

export const elfMachineEnd = 20;

export interface SharedObject {
  readonly bits: 32 | 64;
  /** `e_machine`. */
  readonly machine: number;
  readonly flags: number;
  readonly soname?: string;
}

/** `e_machine` of an ELF file; undefined for other files. */
export function elfMachine(head: Buffer): number | undefined {
  if (head.length < elfMachineEnd || head.readUInt32BE(0) !== signature) return undefined;
  return head[5] === littleEndian ? head.readUInt16LE(18) : head.readUInt16BE(18);
}

/** The loader that a little-endian ELF program needs. Undefined for one without a loader, and for other files. */
export function elfLoader(head: Buffer): string | undefined {
  return read(head, ({ segments }) => {
    const loader = segments.find(({ type }) => type === loaderSegment);
    return loader && textAt(head, loader.offset);
  });
}

/** Reads a little-endian ELF shared object; undefined for anything else, such as a linker script or an executable. */
export function parseSharedObject(bytes: Buffer): SharedObject | undefined {
  return read(bytes, ({ bits, word, segments }) => {
    if (bytes.readUInt16LE(16) !== sharedObjectFile) return undefined;
    const dynamic = segments.findLast(({ type }) => type === dynamicSegment);
    if (dynamic === undefined) return undefined;
    const tags = new Map<number, number>();
    const step = bits / 4;
    for (let at = dynamic.offset; at < dynamic.offset + dynamic.size && word(at) !== 0; at += step) {
      tags.set(word(at), word(at + step / 2));
    }
    const [strings, name] = [tags.get(stringTableTag), tags.get(sonameTag)];
    const common = { bits, machine: bytes.readUInt16LE(18), flags: bytes.readUInt32LE(bits === 64 ? 48 : 36) } as const;
    if (strings === undefined || name === undefined) return common;
    const segment = segments.find(
      ({ type, address, size }) => type === loadSegment && strings >= address && strings < address + size,
    );
    const soname = segment && textAt(bytes, strings - segment.address + segment.offset + name);
    return soname === undefined ? common : { ...common, soname };
  });
}

interface Elf {
  readonly bits: 32 | 64;
  word(at: number): number;
  readonly segments: readonly { type: number; offset: number; address: number; size: number }[];
}

/** Reads a little-endian ELF file; undefined for other files, and for one that is cut short. */
function read<Result>(bytes: Buffer, parse: (elf: Elf) => Result | undefined): Result | undefined {
  if (elfMachine(bytes) === undefined || bytes[5] !== littleEndian) return undefined;
  const wide = bytes[4] === 2;
  const word = (at: number) => (wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const segmentAt = (at: number) => ({
    type: bytes.readUInt32LE(at),
    offset: word(at + (wide ? 8 : 4)),
    address: word(at + (wide ? 16 : 8)),
    size: word(at + (wide ? 32 : 16)),
  });
  try {
    const [table, entrySize] = [word(wide ? 32 : 28), bytes.readUInt16LE(wide ? 54 : 42)];
    const length = bytes.readUInt16LE(wide ? 56 : 44);
    const segments = Array.from({ length }, (_, index) => segmentAt(table + index * entrySize));
    return parse({ bits: wide ? 64 : 32, word, segments });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function textAt(bytes: Buffer, start: number): string | undefined {
  const end = bytes.indexOf(0, start);
  return end < 0 ? undefined : bytes.toString("utf8", start, end);
}
