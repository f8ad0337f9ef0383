interface SystemRefusal {
  readonly code: "file-unreadable" | "file-unwritable";
  readonly culprit: string;
  readonly problem: string;
  readonly remedy: string;
}

const full = "Free some space on its disk";
const closed = "Give your user access to it";

const reasons: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOSPC: ["the disk is full", full],
  EDQUOT: ["your disk quota is used up", full],
  EFBIG: ["it would be larger than files may be", full],
  EROFS: ["the file system is read-only", "Mount it for writing"],
  EACCES: ["permission denied", closed],
  EPERM: ["permission denied", closed],
  ELOOP: ["its links lead in a circle", "Remove it"],
  EISDIR: ["it is a folder", "Remove it"],
  EIO: ["the disk failed", "Check the disk"],
  CANTOPEN: ["its folder is missing or closed", closed],
};

/** SQLite's result codes, less the upper byte: https://sqlite.org/rescode.html. */
const sqlite: Readonly<Record<number, string>> = { 3: "EACCES", 8: "EROFS", 10: "EIO", 13: "ENOSPC", 14: "CANTOPEN" };

const reading = ["open", "read", "scandir", "opendir", "stat", "lstat", "fstat", "readlink", "access", "realpath"];
const writing =
  /^(write|mkdir|mkdtemp|rename|unlink|rmdir|rm|symlink|link|copyfile|chmod|fchmod|utime|ftruncate|truncate|fsync|lock)$/;

/** Names the file of an error that the system does not name one for, such as a full disk in the middle of a write. */
export function atPath(error: unknown, path: string): unknown {
  return error instanceof Error && !("path" in error) ? Object.assign(error, { path }) : error;
}

/** Explains an error of the file system that no caller expected: a full disk, a read-only one, a missing permission. */
export function describeSystemError(error: unknown): SystemRefusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = "", path, dest, syscall = "", errcode } = error as NodeJS.ErrnoException & Record<string, unknown>;
  const isDatabase = code === "ERR_SQLITE_ERROR" && typeof errcode === "number";
  const action = isDatabase ? "lock" : syscall;
  // Node's mkdir of several folders says on a read-only file system that there is no such folder.
  const systemCode = isDatabase ? sqlite[errcode & 0xff] : code === "ENOENT" && syscall === "mkdir" ? "EROFS" : code;
  const known = reasons[systemCode ?? ""];
  const isFull = known?.[1] === full;
  if (!known || !(writing.test(action) || reading.includes(action))) return undefined;
  const [reason, remedy] = known;
  const culprit = String(dest ?? path ?? "a file");
  const isWritten = isFull || systemCode === "EROFS" || writing.test(action);
  const isStream = culprit.startsWith("standard ");
  return {
    code: isWritten ? "file-unwritable" : "file-unreadable",
    culprit,
    problem: `${culprit} cannot be ${isWritten ? "written" : "opened"}: ${reason} (${systemCode}, ${action}).`,
    remedy: isStream
      ? `${remedy}, or direct it elsewhere.`
      : `${remedy}, or use another folder: set XDG_STATE_HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME or TMPDIR.`,
  };
}
