import { type FileHandle, lstat, mkdir } from "node:fs/promises";
import { UserError } from "../../core/errors.ts";

/**
 * Makes sure that a folder exists that only this user can enter.
 *
 * @throws UserError if it belongs to another user, is a link, or is open to others, since its content cannot be trusted
 */
export async function privateFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new UserError(
      { code: "file-unwritable", culprit: path },
      `The folder ${path} could not be created: ${(cause as Error).message}.`,
      "Make its parent writable, or set XDG_STATE_HOME to a folder that you can write to.",
      { cause },
    );
  }
  await checkPrivate(path);
  return path;
}

/**
 * Checks that only this user can enter a folder.
 *
 * @throws UserError if not; the errors of `lstat`
 */
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

/** Writes a whole chunk at a position; a single system call may write only a part. */
export async function writeFully(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < chunk.length) {
    done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}
