import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/** Writes a file atomically: to a temporary file beside it, then renames. Leaves nothing behind if `write` fails. */
export async function withNewFile<Result>(
  path: string,
  write: (fd: number) => Result | Promise<Result>,
): Promise<Result> {
  const temporary = temporaryName(path);
  const fd = openSync(temporary, "wx+");
  try {
    let result: Result;
    try {
      result = await write(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    return result;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.part`;
}

export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
