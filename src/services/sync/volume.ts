import { randomUUID } from "node:crypto";
import { access, chmod, constants, mkdir, rename, rm, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { UserError } from "../../core/errors.ts";
import { syncFolder } from "../../core/files.ts";
import { heartbeat } from "../../core/heartbeat.ts";
import { type Lock, takeLock, waitForLock } from "../../core/lock.ts";
import { removeTree } from "../../git/tree.ts";

/**
 * A volume that content is kept in, for one pod or for several at a time. Content is at a folder that is named by what is in it; it is made under
 * another name and renamed once, so that readers find all of it or none.
 */
export class Volume {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @throws UserError when it is not there, or may not be written to */
  static async open(folder: string): Promise<Volume> {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK).catch((cause: NodeJS.ErrnoException) => {
      throw new UserError(
        { code: "file-unwritable", culprit: folder },
        `User ${process.getuid?.()} cannot write to the volume at ${folder} (${cause.code}).`,
        "Make it writable for that user or its group, or use another volume.",
        { cause },
      );
    });
    return new Volume(folder);
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  /**
   * Waits until nobody else who shares the volume does the same kind of work. A lock is given up when its holder ends, however it does.
   *
   * @param words what is said while somebody else has it
   */
  async lock(name: string, words: string, say: (text: string) => void): Promise<Lock> {
    const path = this.path(`.${name}.lock`);
    const lock = takeLock(path);
    if (lock) return lock;
    const endHeartbeat = heartbeat(words, { write: say });
    return waitForLock(path).finally(endHeartbeat);
  }

  /** A new, empty folder for content that is being made. Removes unfinished drafts. Requires the lock of that name. */
  async draft(name: string): Promise<string> {
    const drafts = this.path("drafts", name);
    await rm(drafts, { recursive: true, force: true });
    const draft = join(drafts, randomUUID());
    await mkdir(draft, { recursive: true });
    return draft;
  }

  /** Moves a finished draft to its place, which must be free. Its files must be on the disk already. */
  async publish(draft: string, ...place: readonly string[]): Promise<void> {
    const target = this.path(...place);
    await mkdir(dirname(target), { recursive: true });
    await syncFolder(draft);
    await rename(draft, target);
    await syncFolder(dirname(target));
  }

  /** Removes published content, which may be gone already: in one step for readers. Requires the lock of that name. */
  async discard(name: string, folder: string): Promise<void> {
    const trash = this.path("drafts", `${name}-removed`);
    await removeTree(trash);
    await mkdir(trash, { recursive: true });
    const path = this.path(folder);
    try {
      // A folder can only be moved by someone who may write to it.
      await chmod(path, 0o755);
      await rename(path, join(trash, "content"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    await removeTree(trash);
  }

  /** Makes a name mean published content, in one step. */
  async link(name: string, place: string): Promise<void> {
    const path = this.path(name);
    const draft = `${path}.${randomUUID()}`;
    await mkdir(dirname(path), { recursive: true });
    await symlink(relative(dirname(path), this.path(place)), draft);
    await rename(draft, path);
  }
}
