import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { UserError } from "../core/errors.ts";
import { makeFolders } from "../core/files.ts";
import { atPath } from "../core/system-error.ts";
import { ifMissing } from "./errors.ts";

/** Makes a folder that only this user can enter. @throws UserError if it is another's, a link, or open to others */
export async function privateFolder(path: string): Promise<string> {
  await makeFolder(path);
  await checkPrivate(path);
  return path;
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path, 0o700);
  } catch (cause) {
    throw new UserError(
      { code: "file-unwritable", culprit: path },
      `The folder ${path} could not be created: ${(cause as Error).message}.`,
      "Make its parent writable, or set XDG_STATE_HOME to a folder that you can write to.",
      { cause },
    );
  }
}

/** Checks that only this user can enter a folder. @throws UserError if not; the errors of `lstat` */
export async function checkPrivate(path: string): Promise<void> {
  const status = await lstat(path);
  const fail = (problem: string): never => {
    throw new UserError(
      { code: "folder-unsafe", culprit: path },
      `${path} ${problem}.`,
      "Remove it, or make it yours alone with chown and chmod 700.",
    );
  };
  if (!status.isDirectory()) fail("is not a folder");
  if (process.getuid && status.uid !== process.getuid()) fail(`belongs to the user with id ${status.uid}`);
  if ((status.mode & 0o077) !== 0) fail(`can be entered by others (mode ${(status.mode & 0o777).toString(8)})`);
}

export function damaged(path: string, problem: string): UserError {
  return new UserError(
    { code: "image-invalid", culprit: path },
    `${path} ${problem}.`,
    "Remove it, and push the image again.",
  );
}

/** Undefined: it does not exist. @throws UserError for a folder, a device or a pipe, which may have no end */
export async function openStored(path: string): Promise<{ handle: FileHandle; size: number } | undefined> {
  // Without O_NONBLOCK, opening a pipe waits for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(ifMissing);
  if (!handle) return undefined;
  const status = await handle.stat();
  if (status.isFile()) return { handle, size: status.size };
  await handle.close();
  throw damaged(path, "is not a file");
}

/** @throws UserError as {@link openStored}, and if it has more than `most` bytes */
export async function readStored(path: string, most: number): Promise<Buffer | undefined> {
  const opened = await openStored(path);
  if (!opened) return undefined;
  await using handle = opened.handle;
  try {
    if (opened.size > most) throw damaged(path, `has ${opened.size} bytes, more than the limit of ${most}`);
    return await handle.readFile();
  } catch (error) {
    throw atPath(error, path);
  }
}

/** A single system call may write only a part. */
export async function writeFully(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < chunk.length) {
    done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}
