/** What a shared library says about itself (System V ABI, "Object Files"). */
export interface SharedObject {
  /** `EI_CLASS`: 32 or 64 bits. */
  readonly bits: 32 | 64;
  /** `e_machine`. */
  readonly machine: number;
  readonly flags: number;
  readonly soname?: string;
}

const ET_DYN = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT_STRTAB = 5;
const DT_SONAME = 14;

/** Reads a little-endian ELF shared object; undefined for anything else (a linker script, an executable, another byte order). */
export function parseSharedObject(bytes: Buffer): SharedObject | undefined {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // cut short
    throw error;
  }
}

function parse(bytes: Buffer): SharedObject | undefined {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[5] !== 1) return undefined;
  const wide = bytes[4] === 2;
  const machine = bytes.readUInt16LE(18);
  if (bytes.readUInt16LE(16) !== ET_DYN) return undefined;
  const word = (at: number) => (wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const flags = bytes.readUInt32LE(wide ? 48 : 36);
  const programHeaders = word(wide ? 32 : 28);
  const entrySize = bytes.readUInt16LE(wide ? 54 : 42);
  const count = bytes.readUInt16LE(wide ? 56 : 44);
  const loads: { offset: number; address: number; size: number }[] = [];
  let dynamic: { offset: number; size: number } | undefined;
  for (let i = 0; i < count; i++) {
    const at = programHeaders + i * entrySize;
    const type = bytes.readUInt32LE(at);
    const offset = word(at + (wide ? 8 : 4));
    const size = word(at + (wide ? 32 : 16));
    if (type === PT_LOAD) loads.push({ offset, address: word(at + (wide ? 16 : 8)), size });
    if (type === PT_DYNAMIC) dynamic = { offset, size };
  }
  if (dynamic === undefined) return undefined;
  let strings: number | undefined;
  let name: number | undefined;
  const step = wide ? 16 : 8;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += step) {
    const tag = word(at);
    if (tag === 0) break;
    if (tag === DT_STRTAB) strings = word(at + step / 2);
    if (tag === DT_SONAME) name = word(at + step / 2);
  }
  const common = { bits: wide ? 64 : 32, machine, flags } as const;
  const segment = loads.find(
    ({ address, size }) => strings !== undefined && strings >= address && strings < address + size,
  );
  if (name === undefined || strings === undefined || segment === undefined) return common;
  const start = strings - segment.address + segment.offset + name;
  return { ...common, soname: bytes.toString("utf8", start, bytes.indexOf(0, start)) };
}
