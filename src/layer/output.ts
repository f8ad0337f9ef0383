import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/**
 * Makes a file that appears under its name only when it is complete: written beside it, then renamed. When `write` fails nothing is left.
 *
 * @param write gets the open file
 */
export async function withNewFile<Result>(
  path: string,
  write: (fd: number) => Result | Promise<Result>,
): Promise<Result> {
  const temporary = temporaryName(path);
  const fd = openSync(temporary, "wx");
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

/** A name beside `path` that nobody else uses, for what is not complete yet. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.part`;
}

/** Writes all the bytes at the file's position. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
