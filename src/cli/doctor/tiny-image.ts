import { blockSize, header } from "../../layer/header.ts";

/** Machine code that exits with status 0, and its number in ELF's `e_machine`. */
const programs: Readonly<Record<string, readonly [machine: number, code: string]>> = {
  x64: [62, "31ffb83c0000000f05"],
  arm64: [183, "000080d2a80b80d2010000d4"],
};

/** A tar archive of a root with one program, `/exit`, so that a container can be tried without a pull. */
export function tinyImage(architecture: string = process.arch): Buffer | undefined {
  const [machine, code] = programs[architecture] ?? [];
  if (machine === undefined || code === undefined) return undefined;
  const program = elf(machine, Buffer.from(code, "hex"));
  const padding = Buffer.alloc(blockSize - (program.length % blockSize) + 2 * blockSize);
  const entry = { type: "file", path: "exit", content: { bytes: program } } as const;
  return Buffer.concat([header(entry, program.length), program, padding]);
}

function elf(machine: number, code: Buffer): Buffer {
  const headers = 64 + 56;
  const address = 0x400000n;
  const head = Buffer.alloc(headers);
  head.write("\x7fELF\x02\x01\x01", "latin1");
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(address + BigInt(headers), 24);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(1, 64);
  head.writeUInt32LE(5, 68);
  head.writeBigUInt64LE(address, 80);
  head.writeBigUInt64LE(address, 88);
  const size = BigInt(headers + code.length);
  head.writeBigUInt64LE(size, 96);
  head.writeBigUInt64LE(size, 104);
  head.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([head, code]);
}
