import { elfMachine } from "../core/elf.ts";
import type { FileView } from "../layer/file-view.ts";

/** Undefined: there is no section of this name. */
export type ReadSection = (name: string) => Buffer | undefined;

const headerSize = 64;

const sectionLimit = 64 * 1024 * 1024;

/** Little-endian files only (System V ABI, "Sections"). */
export function elfSections(file: FileView): ReadSection | undefined {
  const head = file.read(0, headerSize);
  if (head.length < headerSize || elfMachine(head) === undefined || head[5] !== 1) return undefined;
  const wide = head[4] === 2;
  const word = (bytes: Buffer, at: number) => (wide ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at));
  const entrySize = head.readUInt16LE(wide ? 58 : 46);
  const count = head.readUInt16LE(wide ? 60 : 48);
  const table = file.read(word(head, wide ? 40 : 32), entrySize * count);
  if (entrySize < (wide ? 64 : 40) || table.length < entrySize * count) return undefined;
  const sectionAt = (index: number) => {
    const entry = table.subarray(index * entrySize, (index + 1) * entrySize);
    return { name: entry.readUInt32LE(0), offset: word(entry, wide ? 24 : 16), size: word(entry, wide ? 32 : 20) };
  };
  const contentOf = ({ offset, size }: { offset: number; size: number }) =>
    file.read(offset, Math.min(size, sectionLimit));
  const nameTable = head.readUInt16LE(wide ? 62 : 50);
  if (nameTable >= count) return undefined;
  const names = contentOf(sectionAt(nameTable));
  return (name) => {
    const wanted = Buffer.from(`${name}\0`);
    for (let index = 0; index < count; index++) {
      const section = sectionAt(index);
      if (names.subarray(section.name, section.name + wanted.length).equals(wanted)) return contentOf(section);
    }
    return undefined;
  };
}
