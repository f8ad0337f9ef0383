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
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(
      `${path} cannot be made: ${reason}.`,
      "Let yourself write there, or set XDG_STATE_HOME to a folder where you can.",
      {
        cause,
      },
    );
  }
  const problem = await intruders(path);
  if (problem === undefined) return path;
  throw new UserError(`${path} ${problem}.`, "Remove it, or give it to yourself alone: chown and chmod 700.");
}

/** Why a folder is not private to this user, or undefined if it is. Throws the errors of `lstat`. */
export async function intruders(path: string): Promise<string | undefined> {
  const status = await lstat(path);
  if (!status.isDirectory()) return "is not a folder";
  if (process.getuid && status.uid !== process.getuid()) return `belongs to the user with id ${status.uid}`;
  if ((status.mode & 0o077) !== 0) return `can be entered by others (mode ${(status.mode & 0o777).toString(8)})`;
  return undefined;
}

/** Writes a whole chunk at a position; a single system call may write only a part. */
export async function writeFully(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < chunk.length) {
    done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
  }
}
