import { readSync } from "node:fs";
import { elfMachine, elfMachineEnd } from "../core/elf.ts";
import { UserError } from "../core/errors.ts";
import { ownArchitecture, type Platform } from "../oci/descriptor.ts";

export type NativePlatform = Pick<Platform, "os" | "architecture">;

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
const machMachines: Readonly<Record<number, string>> = { 16777223: "amd64", 16777228: "arm64" };

export const nativeHeaderSize = elfMachineEnd;

/** ELF, which is taken as Linux's, or Mach-O for one architecture. Undefined for everything else. */
export function nativePlatform(head: Buffer): NativePlatform | undefined {
  if (head.length < nativeHeaderSize) return undefined;
  const machine = elfMachine(head);
  if (machine !== undefined) {
    return { os: "linux", architecture: elfMachines[machine] ?? `ELF machine ${machine}` };
  }
  if (head.readUInt32LE(0) === 0xfeedfacf) {
    const type = head.readUInt32LE(4);
    return { os: "darwin", architecture: machMachines[type] ?? `Mach-O processor ${type}` };
  }
  return undefined;
}

export function ownPlatform(): NativePlatform {
  return { os: process.platform, architecture: ownArchitecture() };
}

export interface NativeCheck {
  readonly image: NativePlatform;
  /** Its files end up in images by mistake. Those for other platforms are allowed: many packages have them. */
  readonly builder: NativePlatform;
  /** It must be for the image's platform. */
  readonly program: string | undefined;
}

/** Refuses a file for another platform, if it is for the build machine or is the program. @throws UserError */
export function checkNative(fd: number, path: string, source: string, check: NativeCheck): void {
  const { image, builder, program } = check;
  if (source !== program && samePlatform(image, builder)) return;
  const head = Buffer.alloc(nativeHeaderSize);
  const found = nativePlatform(head.subarray(0, readSync(fd, head, 0, nativeHeaderSize, 0)));
  if (!found || samePlatform(found, image) || (source !== program && !samePlatform(found, builder))) return;
  throw new UserError(
    { code: "platform-mismatch", culprit: source },
    `/${path} would come from ${source}, which is for ${found.os}/${found.architecture}, but the image is for ${image.os}/${image.architecture}.`,
    "Use a file for the image's platform (its toolchain or package may be missing), or exclude it with `excludes`.",
  );
}

function samePlatform(a: NativePlatform, b: NativePlatform): boolean {
  return a.os === b.os && a.architecture === b.architecture;
}
