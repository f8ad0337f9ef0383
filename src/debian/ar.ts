import type { FileHandle } from "node:fs/promises";
import { Failure } from "../core/errors.ts";

/** Its place in the archive, in bytes. */
export interface ArMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const MAGIC = "!<arch>\n";
const HEADER_SIZE = 60;

/** The format that deb(5) prescribes: no long names, members padded to even length. */
export async function listAr(file: FileHandle, name: string): Promise<ArMember[]> {
  const total = (await file.stat()).size;
  const text = async (position: number, length: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
    return buffer.toString("latin1", 0, bytesRead);
  };
  if ((await text(0, MAGIC.length)) !== MAGIC) throw noPackage(name, "it does not start as an ar archive");
  const members: ArMember[] = [];
  let position = MAGIC.length;
  while (position < total) {
    const header = await text(position, HEADER_SIZE);
    if (header.length < HEADER_SIZE || !header.endsWith("`\n"))
      throw noPackage(name, `no member header at byte ${position}`);
    const digits = header.slice(48, 58).trim();
    const size = Number(digits);
    const offset = position + HEADER_SIZE;
    if (!/^\d+$/.test(digits) || offset + size > total) throw noPackage(name, `it is cut short after byte ${position}`);
    members.push({ name: header.slice(0, 16).trimEnd().replace(/\/$/, ""), offset, size });
    position = offset + size + (size % 2);
  }
  return members;
}

export function noPackage(path: string, why: string): Failure {
  return new Failure(
    { code: "file-invalid", culprit: path },
    `${path} is not a Debian package: ${why}.`,
    "Download the package again, or name a Debian binary package (.deb).",
  );
}
