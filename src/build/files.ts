import { closeSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { UserError } from "../core/errors.ts";
import { temporaryName, writeFully } from "../layer/output.ts";

export function writeFiles(files: ReadonlyMap<string, Uint8Array | string>): void {
  const written: { path: string; temporary: string }[] = [];
  try {
    for (const [path, content] of files) {
      const temporary = temporaryName(path);
      written.push({ path, temporary });
      const fd = openSync(temporary, "wx");
      try {
        writeFully(fd, typeof content === "string" ? Buffer.from(content) : content);
      } finally {
        closeSync(fd);
      }
    }
    for (const { path, temporary } of written) renameSync(temporary, path);
  } catch (error) {
    for (const { temporary } of written) rmSync(temporary, { force: true });
    throw error;
  }
}

export function readInput(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    const identity = { code: "file-unreadable", culprit: path } as const;
    throw new UserError(identity, `${path} does not exist.`, "Make it an input of the action.", { cause });
  }
}
