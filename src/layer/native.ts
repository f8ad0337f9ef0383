import { readSync } from "node:fs";
import { UserError } from "../core/errors.ts";

/** An operating system and a processor, in the words of the OCI image specification (those of Go). */
export interface NativePlatform {
  readonly os: string;
  readonly architecture: string;
}

/** `e_machine` (System V ABI, "ELF Header"). */
const elfMachines: Readonly<Record<number, string>> = {
  3: "386",
  21: "ppc64le",
  22: "s390x",
  40: "arm",
  62: "amd64",
  183: "arm64",
  243: "riscv64",
};

/** `cputype` (mach/machine.h). */
const machMachines: ReadonlyMap<number, string> = new Map([
  [0x01000007, "amd64"],
  [0x0100000c, "arm64"],
]);

/** Bytes of a file's beginning that tell what it is. */
export const nativeHeaderSize = 20;

/**
 * What a program, library or object file runs on, by its first {@link nativeHeaderSize} bytes: ELF, and Mach-O of one processor. ELF says
 * nothing of Linux; every other system that uses it is rare enough in images.
 *
 * @returns undefined for everything else
 */
export function nativePlatform(head: Buffer): NativePlatform | undefined {
  if (head.length < nativeHeaderSize) return undefined;
  if (head.readUInt32BE(0) === 0x7f454c46) {
    const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
    return { os: "linux", architecture: elfMachines[machine] ?? `ELF machine ${machine}` };
  }
  if (head.readUInt32LE(0) === 0xfeedfacf) {
    const type = head.readUInt32LE(4);
    return { os: "darwin", architecture: machMachines.get(type) ?? `Mach-O processor ${type}` };
  }
  return undefined;
}

/** The platform of this process, which is the one that builds. */
export function ownPlatform(): NativePlatform {
  const names: Partial<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };
  return { os: process.platform, architecture: names[process.arch] ?? process.arch };
}

export interface NativeCheck {
  readonly image: NativePlatform;
  /** What builds: its programs end up in images by mistake. Packages also carry files for many platforms, which is none. */
  readonly builder: NativePlatform;
  /** The source that the image starts: it must be for the image. */
  readonly program: string | undefined;
}

/**
 * Refuses a file that is for another platform than its image, when it is for the machine that builds or the program itself.
 *
 * @param fd of the file; its position stays
 * @throws UserError naming the file
 */
export function checkNative(fd: number, path: string, source: string, check: NativeCheck): void {
  const { image, builder, program } = check;
  if (source !== program && samePlatform(image, builder)) return;
  const head = Buffer.alloc(nativeHeaderSize);
  const found = nativePlatform(head.subarray(0, readSync(fd, head, 0, nativeHeaderSize, 0)));
  if (!found || samePlatform(found, image) || (source !== program && !samePlatform(found, builder))) return;
  throw new UserError(
    `/${path} would come from ${source}, which is for ${found.os}/${found.architecture}, but the image is for ${image.os}/${image.architecture}.`,
    "Give the one for the image's platform (a toolchain or package of it may be missing), or leave it out with `excludes`.",
  );
}

function samePlatform(a: NativePlatform, b: NativePlatform): boolean {
  return a.os === b.os && a.architecture === b.architecture;
}
