import { parseSharedObject, type SharedObject } from "../core/elf.ts";
import type { RootTree } from "./root-tree.ts";

/** One line of `ldconfig -p`. */
export interface CacheEntry {
  readonly name: string;
  /** glibc's FLAG_*: an ELF library for glibc 2, and its ABI. */
  readonly flags: number;
  readonly path: string;
}

const FLAG_ELF_LIBC6 = 0x0003;
const EF_ARM_ABI_FLOAT_HARD = 0x400;

/** sysdeps/generic/ldconfig.h. Undefined for other machines. */
function flagsOf({ bits, machine, flags }: SharedObject): number | undefined {
  switch (machine) {
    case 3: // EM_386
      return FLAG_ELF_LIBC6;
    case 62: // EM_X86_64; 32 bits are its x32 ABI
      return FLAG_ELF_LIBC6 | (bits === 64 ? 0x0300 : 0x0800);
    case 183: // EM_AARCH64
      return FLAG_ELF_LIBC6 | 0x0a00;
    case 40: // EM_ARM
      return FLAG_ELF_LIBC6 | ((flags & EF_ARM_ABI_FLOAT_HARD) !== 0 ? 0x0900 : 0x0b00);
    case 21: // EM_PPC64
      return FLAG_ELF_LIBC6 | 0x0500;
    case 243: // EM_RISCV, double-float
      return FLAG_ELF_LIBC6 | 0x1000;
    default:
      return undefined;
  }
}

/** Images without libc-bin get Debian's default, /etc/ld.so.conf.d. */
function libraryFolders(tree: RootTree): string[] {
  const folders: string[] = [];
  const parse = (text: string) => {
    for (const line of text.split("\n")) {
      const word = line.replace(/#.*/, "").trim();
      const include = /^include\s+\/?(.*)\/\*\.conf$/.exec(word)?.[1];
      if (include !== undefined) {
        for (const name of tree.list(include)) {
          if (name.endsWith(".conf")) parse(tree.read(`${include}/${name}`)?.toString() ?? "");
        }
      } else if (word.startsWith("/")) folders.push(word);
    }
  };
  parse(tree.read("etc/ld.so.conf")?.toString() ?? "include /etc/ld.so.conf.d/*.conf");
  return [...folders, "/lib", "/usr/lib"];
}

/**
 * As ldconfig: `lib*.so*` and `ld-*.so*` by SONAME, development links by their own name. A folder that is another one's
 * link is searched once. No Debian package of 12 and 13 has glibc-hwcaps.
 */
export function findLibraries(tree: RootTree): CacheEntry[] {
  const entries: CacheEntry[] = [];
  const searched = new Set<string>();
  for (const folder of libraryFolders(tree)) {
    const place = tree.resolve(folder.slice(1));
    if (place === undefined || searched.has(place)) continue;
    searched.add(place);
    const seen = new Set<string>();
    for (const file of tree.list(place)) {
      if (!/^(lib|ld-).*\.so(\.|$)/.test(file)) continue;
      const node = tree.get(`${place}/${file}`);
      const bytes = node?.type === "directory" ? undefined : tree.read(`${place}/${file}`);
      const object = bytes && parseSharedObject(bytes);
      const flags = object && flagsOf(object);
      if (object === undefined || flags === undefined) continue;
      const development = node?.type === "symlink" && file.endsWith(".so");
      const name = development ? file : (object.soname ?? file);
      if (seen.has(name)) continue;
      seen.add(name);
      entries.push({ name, flags, path: `${folder}/${tree.has(`${place}/${name}`) ? name : file}` });
    }
  }
  return entries;
}

/** `_dl_cache_libcmp`: numbers by value, other characters by code, a digit after any other. */
export function compareLibraryNames(left: string, right: string): number {
  let i = 0;
  let j = 0;
  const digit = (text: string, at: number) => /[0-9]/.test(text[at] ?? "");
  while (i < left.length) {
    if (digit(left, i)) {
      if (!digit(right, j)) return 1;
      const a = /^[0-9]+/.exec(left.slice(i))?.[0] ?? "";
      const b = /^[0-9]+/.exec(right.slice(j))?.[0] ?? "";
      if (Number(a) !== Number(b)) return Number(a) - Number(b);
      i += a.length;
      j += b.length;
    } else if (digit(right, j)) return -1;
    else {
      const difference = left.charCodeAt(i) - (j < right.length ? right.charCodeAt(j) : 0);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
  }
  return j < right.length ? -1 : 0;
}

const HEADER_SIZE = 48;
const ENTRY_SIZE = 24;

/**
 * `glibc-ld.so.cache1.1` (`struct cache_file_new`), little-endian, for glibc from 2.2 on. In descending order of name,
 * then of flags, since the loader bisects.
 */
export function formatCache(entries: readonly CacheEntry[]): Buffer {
  const sorted = entries
    .map((entry, index) => ({ entry, index }))
    .sort(
      (a, b) => compareLibraryNames(b.entry.name, a.entry.name) || b.entry.flags - a.entry.flags || a.index - b.index,
    );
  const offsets = new Map<string, number>();
  const strings: Buffer[] = [];
  let length = 0;
  const offsetOf = (text: string) => {
    let offset = offsets.get(text);
    if (offset === undefined) {
      offset = HEADER_SIZE + sorted.length * ENTRY_SIZE + length;
      offsets.set(text, offset);
      const bytes = Buffer.from(`${text}\0`);
      strings.push(bytes);
      length += bytes.length;
    }
    return offset;
  };
  const table = Buffer.alloc(HEADER_SIZE + sorted.length * ENTRY_SIZE);
  sorted.forEach(({ entry }, i) => {
    const at = HEADER_SIZE + i * ENTRY_SIZE;
    table.writeInt32LE(entry.flags, at);
    table.writeUInt32LE(offsetOf(entry.name), at + 4);
    table.writeUInt32LE(offsetOf(entry.path), at + 8);
  });
  table.write("glibc-ld.so.cache1.1", 0, "latin1");
  table.writeUInt32LE(sorted.length, 20);
  table.writeUInt32LE(length, 24);
  table.writeUInt8(2, 28); // cache_file_new_flags_endian_little
  return Buffer.concat([table, ...strings]);
}

/** As libc-bin's trigger does with ldconfig, if the image has a C library that reads it. */
export function makeLoaderCache(tree: RootTree): void {
  const entries = findLibraries(tree);
  if (entries.some(({ name }) => name === "libc.so.6")) tree.write("etc/ld.so.cache", formatCache(entries));
}
