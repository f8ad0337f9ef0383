import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { Failure, UserError } from "../core/errors.ts";

/** Mode and type are ignored, since sandbox and umask change them. */
export interface Source {
  readonly fd: number;
  readonly size: number;
}

/** Follows links, since the sandbox stages files as links. @throws UserError if it does not exist or is not a file */
export function openSource(file: string, image: string): Source {
  // Without O_NONBLOCK, opening a named pipe would wait for its writer.
  const fd = attempt(file, image, () => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
  try {
    const status = fstatSync(fd);
    if (status.isFile()) return { fd, size: status.size };
    if (status.isDirectory()) {
      throw new UserError(
        { code: "file-invalid", culprit: file },
        `/${image} would come from ${file}, which is a directory; Bazel does not track the files of source directories.`,
        "List its files, with glob() for example, or make it the output of a rule that declares a directory.",
      );
    }
    throw new UserError(
      { code: "file-invalid", culprit: file },
      `/${image} would come from ${file}, which is not a regular file.`,
      "Give a file.",
    );
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** With `start`, the position stays. @throws Failure if the source ends too early */
export function readFully(source: Source, buffer: Uint8Array, file: string, start?: number): void {
  for (let at = 0; at < buffer.length; ) {
    const count = readSync(source.fd, buffer, at, buffer.length - at, start === undefined ? null : start + at);
    if (count === 0) {
      throw new Failure(
        { code: "file-invalid", culprit: file },
        `${file} became shorter while it was read.`,
        "Build again when nothing else changes the file.",
      );
    }
    at += count;
  }
}

export function readLinkSource(file: string, image: string): string {
  return attempt(file, image, () => readlinkSync(file));
}

function attempt<Result>(file: string, image: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const problem = `/${image} would come from ${file}, `;
    if (code === "EINVAL") {
      throw new UserError(
        { code: "file-invalid", culprit: file },
        `${problem}which is not a symbolic link.`,
        "Declare it with declare_symlink, or give it as a file.",
        { cause },
      );
    }
    const identity = { code: "file-unreadable", culprit: file } as const;
    if (code === "ENOENT") {
      throw new UserError(
        identity,
        `${problem}${danglingTarget(file) ?? "which does not exist"}.`,
        "Make the target that provides it an input of the layer.",
        { cause },
      );
    }
    throw new Failure(identity, `${problem}which cannot be read: ${message}.`, "Check the permissions of the file.", {
      cause,
    });
  }
}

function danglingTarget(file: string): string | undefined {
  const status = lstatSync(file, { throwIfNoEntry: false });
  return status?.isSymbolicLink() ? `a symbolic link to ${readlinkSync(file)}, which does not exist` : undefined;
}
