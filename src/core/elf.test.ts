import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elfLoader, elfMachine, parseSharedObject } from "./elf.ts";

interface Shape {
  readonly bits: 32 | 64;
  readonly type?: number;
  readonly machine?: number;
  readonly flags?: number;
  readonly loader?: string;
  readonly soname?: string;
  /** Tags of the dynamic section in place of those of a library. */
  readonly tags?: Readonly<Record<number, number>>;
}

const loadedAt = 0x4000;

/** The parts of a file that its loader reads: headers, a loader's path, a dynamic section, its texts. */
function elf({ bits, type = 3, machine = 62, flags = 0, loader = "/lib/ld.so", soname = "liba.so.1", tags }: Shape) {
  const [wide, step] = [bits === 64, bits / 8];
  const entry = wide ? 56 : 32;
  const table = wide ? 64 : 52;
  const loaderStart = table + 4 * entry;
  const strings = loaderStart + loader.length + 1;
  const start = strings + soname.length + 2;
  const dynamic = Object.entries(tags ?? { 1: 7, 5: loadedAt + strings, 14: 1 });
  const bytes = Buffer.alloc(start + (dynamic.length + 1) * 2 * step);
  const word = (value: number, at: number) =>
    wide ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeUInt32LE(value, at);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  bytes.writeUInt16LE(type, 16);
  bytes.writeUInt16LE(machine, 18);
  word(table, wide ? 32 : 28);
  bytes.writeUInt32LE(flags, wide ? 48 : 36);
  bytes.writeUInt16LE(entry, wide ? 54 : 42);
  bytes.writeUInt16LE(4, wide ? 56 : 44);
  const segment = (index: number, type: number, offset: number, address: number, size: number) => {
    const at = table + index * entry;
    bytes.writeUInt32LE(type, at);
    word(offset, at + (wide ? 8 : 4));
    word(address, at + (wide ? 16 : 8));
    word(size, at + (wide ? 32 : 16));
  };
  segment(0, 3, loaderStart, loadedAt + loaderStart, loader.length + 1);
  segment(1, 1, 0, loadedAt + strings + 1, 1);
  segment(2, 1, strings, loadedAt + strings, bytes.length - strings);
  segment(3, 2, start, loadedAt + start, bytes.length - start);
  bytes.write(`${loader}\0\0${soname}\0`, loaderStart);
  dynamic.forEach(([tag, value], index) => {
    word(Number(tag), start + index * 2 * step);
    word(value, start + index * 2 * step + step);
  });
  return bytes;
}

describe.each([32, 64] as const)("an ELF file of %i bits", (bits) => {
  it("has a machine, a loader, and as a library flags and a name", () => {
    const bytes = elf({ bits, machine: 183, flags: 0x05000400 });
    expect([elfMachine(bytes), elfLoader(bytes)]).toEqual([183, "/lib/ld.so"]);
    expect(parseSharedObject(bytes)).toEqual({ bits, machine: 183, flags: 0x05000400, soname: "liba.so.1" });
  });

  it.each([
    ["no name", { 5: loadedAt }],
    ["no texts", { 14: 1 }],
    ["texts that are not loaded", { 5: 1, 14: 1 }],
    ["texts after what is loaded", { 5: loadedAt + 10_000, 14: 1 }],
    ["a name after the end", { 5: loadedAt + 400, 14: 10_000 }],
    ["texts behind what is loaded", { 5: loadedAt + 9, 14: 1 }],
    ["a name after the last tag", { 0: 0, 5: loadedAt + 300, 14: 1 }],
  ] as const)("is a library without a name with %s", (_, tags) => {
    expect(parseSharedObject(elf({ bits, tags }))).toStrictEqual({ bits, machine: 62, flags: 0 });
  });

  it("has the name in the segment that is loaded there, and no tag behind its section", () => {
    const bytes = elf({ bits });
    const table = bits === 64 ? 64 : 52;
    const [entry, size] = bits === 64 ? [56, 32] : [32, 16];
    const at = table + 3 * entry + size;
    const word = (value: number) =>
      bits === 64 ? bytes.writeBigUInt64LE(BigInt(value), at) : bytes.writeUInt32LE(value, at);
    word((bits / 4) * 2);
    expect(parseSharedObject(bytes)).not.toHaveProperty("soname");
    word((bits / 4) * 3);
    expect(parseSharedObject(bytes)).toHaveProperty("soname", "liba.so.1");
  });

  it("is no library if it is a program, or has no dynamic section", () => {
    const program = elf({ bits, type: 2 });
    expect([parseSharedObject(program), elfLoader(program)]).toEqual([undefined, "/lib/ld.so"]);
    const plain = elf({ bits });
    plain.writeUInt16LE(3, bits === 64 ? 56 : 44);
    expect(parseSharedObject(plain)).toBeUndefined();
    plain.writeUInt16LE(0, bits === 64 ? 56 : 44);
    expect(elfLoader(plain)).toBeUndefined();
  });
});

it("the machine is in the order of bytes that the file says, and is all that others tell", () => {
  const bytes = elf({ bits: 64 });
  bytes[5] = 2;
  bytes.writeUInt16BE(22, 18);
  expect([elfMachine(bytes), elfLoader(bytes), parseSharedObject(bytes)]).toEqual([22, undefined, undefined]);
});

it("a file that is cut short, or is another one, is none", () => {
  const bytes = elf({ bits: 64 });
  expect(elfMachine(bytes.subarray(0, 20))).toBe(62);
  expect(elfMachine(bytes.subarray(0, 19))).toBeUndefined();
  expect(elfMachine(Buffer.from("#!/bin/sh\n".repeat(9)))).toBeUndefined();
  expect(elfLoader(Buffer.alloc(0))).toBeUndefined();
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.uint8Array({ maxLength: 300 }), (length, noise) => {
      const cut = bytes.subarray(0, length);
      expect(parseSharedObject(cut)?.soname).not.toBe("");
      parseSharedObject(Buffer.from(noise));
      expect(elfLoader(Buffer.from(noise))).toBeUndefined();
    }),
  );
});
